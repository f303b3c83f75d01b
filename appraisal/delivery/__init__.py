"""Service of documents (送达): to whom, what, when and by which proof."""
