"""What Schemathesis does not ask by itself: a refusal's code is one that the document names for this route and status."""

import schemathesis


@schemathesis.check
def documented_code(ctx, response, case) -> None:
    if response.headers.get("content-type", [""])[0] != "application/problem+json":
        return
    documented = case.operation.definition.raw["responses"].get(str(response.status_code))
    if documented is None:
        return  # status_code_conformance says so
    code = response.json()["code"]
    assert code in documented["content"]["application/problem+json"]["examples"], f"code {code} is not documented"


@schemathesis.hook
def filter_case(ctx, case) -> bool:
    """An empty parameter is an absent one, by choice (a client sends `?q=` for an empty box): it violates nothing."""
    return "" not in (case.query or {}).values()
