"""The door of appraisal for the contexts downstream.

All functions take the caller's open transaction and check no right of its actor: whether the caller may know is the
caller's question (`actor.must_serve(case.court_id, …)`).
"""

from appraisal.assets.rules import AssetFacts, Way
from appraisal.assets.service import (
    find_holds,
    get_asset,
    pass_title,
    promise,
    require_free,
    require_no_hold,
    undo_disposal,
)
from appraisal.cases.rules import Account, CaseFacts, PartyFacts, PartyRole, Subject
from appraisal.cases.service import case_numbers, cases_of_person, court_names, get_case, get_decision, helpers_of
from appraisal.claims.rules import ClaimKind, TitledClaim
from appraisal.claims.service import applicants_of, list_claims
from appraisal.delivery.rules import ServiceMethod
from appraisal.delivery.service import record_service
from appraisal.reference_price.rules import Method, ReferencePrice, require_good_price
from appraisal.reference_price.service import get_reference_price

__all__ = [
    "Account",
    "AssetFacts",
    "CaseFacts",
    "ClaimKind",
    "Method",
    "PartyFacts",
    "PartyRole",
    "ReferencePrice",
    "ServiceMethod",
    "Subject",
    "TitledClaim",
    "Way",
    "applicants_of",
    "case_numbers",
    "cases_of_person",
    "court_names",
    "find_holds",
    "get_asset",
    "get_case",
    "get_decision",
    "get_reference_price",
    "helpers_of",
    "list_claims",
    "pass_title",
    "promise",
    "record_service",
    "require_free",
    "require_good_price",
    "require_no_hold",
    "undo_disposal",
]
