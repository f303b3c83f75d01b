"""Proof of papers: what was kept is what was written, and its files say its data."""

import hashlib

from kernel.database import Tx
from kernel.documents import get_document
from settlement.papers import rules, store


async def faults(tx: Tx) -> list[str]:
    """Everything in papers that does not verify, one sentence each; empty when all is well."""
    found = []
    for paper in await store.all_papers(tx):
        if rules.data_hash(paper.data) != paper.data_hash:
            found.append(f"paper {paper.id} ({paper.kind}) says other than was written")
        pdf, html = await get_document(tx, paper.pdf_id), await get_document(tx, paper.html_id)
        if rules.html_of(paper.data) != html.content:
            found.append(f"paper {paper.id} ({paper.kind}): its page says other than its data")
        found += [
            f"paper {paper.id} ({paper.kind}): its document {document.name} was changed"
            for document in (pdf, html)
            if hashlib.sha256(document.content).digest() != document.sha256
        ]
        for document in (pdf, html):
            tx.session.expunge(document)
    return found
