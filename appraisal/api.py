"""The door of appraisal for the contexts downstream.

All functions take the caller's open transaction and check no right of its actor: whether the caller may know is the
caller's question (`actor.must_serve(case.court_id, …)`).
"""

from appraisal.assets.rules import AssetFacts, AssetKind, Hold, Way
from appraisal.assets.service import find_holds, get_asset, pass_title, promise, require_free, undo_disposal
from appraisal.cases.rules import Account, CaseFacts, Decision, PartyFacts, PartyKind, PartyRole, Subject
from appraisal.cases.service import case_numbers, cases_of_person, court_names, get_case, get_decision, helpers_of
from appraisal.claims.rules import ClaimKind, TitledClaim
from appraisal.claims.service import applicants_of, list_claims
from appraisal.delivery.rules import Service, ServiceMethod
from appraisal.delivery.service import find_services, record_service
from appraisal.reference_price.rules import Method, ReferencePrice, price_still_good, require_good_price, sell_by
from appraisal.reference_price.service import get_reference_price

__all__ = [
    "Account",
    "AssetFacts",
    "AssetKind",
    "CaseFacts",
    "ClaimKind",
    "Decision",
    "Hold",
    "Method",
    "PartyFacts",
    "PartyKind",
    "PartyRole",
    "ReferencePrice",
    "Service",
    "ServiceMethod",
    "Subject",
    "TitledClaim",
    "Way",
    "applicants_of",
    "case_numbers",
    "cases_of_person",
    "court_names",
    "find_holds",
    "find_services",
    "get_asset",
    "get_case",
    "get_decision",
    "get_reference_price",
    "helpers_of",
    "list_claims",
    "pass_title",
    "price_still_good",
    "promise",
    "record_service",
    "require_free",
    "require_good_price",
    "sell_by",
    "undo_disposal",
]
