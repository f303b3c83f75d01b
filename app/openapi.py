"""The descriptions at `/schema`: of HTTP, with what the framework cannot know, and of the live protocol."""

from typing import Any

from litestar import Request, get
from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from bidding.feed import asyncapi
from kernel.decoding import Day, Moment
from kernel.web import PROBLEM, anyone

VERSION = "0.1.0"

TIMES: dict[Any, Schema] = {
    Moment: Schema(
        type=OpenAPIType.STRING,
        format=OpenAPIFormat.DATE_TIME,
        description="RFC 3339 with an offset and at most milliseconds",
    ),
    Day: Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE, description="YYYY-MM-DD"),
}

REFUSAL = {
    "title": "Problem",
    "type": "object",
    "description": "A refusal (RFC 9457). Facts such as `minimum_fen` stand beside these members.",
    "required": ["type", "title", "status", "code", "rule", "law", "detail", "detail_en"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable, to be compared by programs"},
        "rule": {"type": ["string", "null"], "description": "the rule that decided, e.g. R-BID-08"},
        "law": {"type": ["string", "null"], "description": "its article, e.g. 法释〔2016〕18号 第二十条"},
        "detail": {"type": "string", "description": "中文"},
        "detail_en": {"type": "string"},
    },
}
REFUSED = {
    "description": "Refused; nothing was changed.",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class TimesOnTheWire(OpenAPISchemaPlugin):
    """`Moment` and `Day` are our own types: strings with a format."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return field_definition.annotation in (Moment, Day)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        return TIMES[field_definition.annotation]


class Described(JsonRenderPlugin):
    """The document as JSON, and no viewer: those load their scripts from elsewhere."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        openapi_schema["components"]["schemas"]["Problem"] = REFUSAL
        for path in openapi_schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("400", None)
                operation["responses"]["4XX"] = REFUSED
        return super().render(request, openapi_schema)


@get("/schema/asyncapi.json", guards=[anyone], include_in_schema=False)
async def describe_live() -> dict[str, Any]:
    """The live protocol (AsyncAPI 3.0)."""
    return asyncapi.document(VERSION)


def described() -> OpenAPIConfig:
    """The configuration of `/schema`; its application needs `TimesOnTheWire` among the plugins too."""
    return OpenAPIConfig(
        title="网络司法拍卖平台 Online judicial auction",
        version=VERSION,
        description="Money is integer fen, times are RFC 3339, every refusal names its rule and law.",
        path="/schema",
        render_plugins=[Described(path=["/", "/openapi.json"])],
    )
