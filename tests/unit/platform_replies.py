"""What each platform answers, as its documents and its users' reports show it (sources in `Shown`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.unit.model_server import Reply

NOTES = '{"notes": []}'


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One platform's shapes.

    Args:
        good: an answer of 21 tokens of prompt and 7 of answer, whose text is `NOTES`.
        wrong_key: the refusal of a key.
        busy: a refusal for now, and `wait`, the seconds that it asks to wait (None: it does not say).
        too_long: the refusal of a long prompt, and `counts`, what it says was needed and what there is.
        refusal: how it says that it will not answer.
        refused_field: the refusal of a field, and `field`, which one.
    """

    good: Reply
    wrong_key: Reply
    busy: Reply
    wait: float | None
    too_long: Reply
    counts: tuple[int, int]
    refusal: Reply
    refused_field: Reply
    field: str


def _error(status: int, message: str, *, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    return Reply(status=status, body={"error": {"message": message, **more}}, headers=headers or {})


def _chat(text: str | None, reason: str = "stop", **message: Any) -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": reason}
    usage = {"prompt_tokens": 21, "completion_tokens": 7, "total_tokens": 28}
    return Reply(body={"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": usage})


# platform.openai.com/docs/guides/error-codes, developers.openai.com/api/docs/guides/rate-limits, and for fields
# github.com/simonw/llm/issues/724
OPENAI = Shown(
    good=_chat(NOTES, refusal=None),
    wrong_key=_error(401, "Incorrect API key provided: sk-k", type="invalid_request_error", code="invalid_api_key"),
    busy=_error(
        429,
        "Rate limit reached for requests",
        type="requests",
        code="rate_limit_exceeded",
        headers={
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "6s",
            "x-ratelimit-remaining-tokens": "9000",
            "x-ratelimit-reset-tokens": "6m0s",
        },
    ),
    wait=6.0,
    too_long=_error(
        400,
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
        type="invalid_request_error",
        param="messages",
        code="context_length_exceeded",
    ),
    counts=(5000, 4096),
    refusal=_chat(None, refusal="I can't help with that."),
    refused_field=_error(
        400,
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
        type="invalid_request_error",
        param="temperature",
        code="unsupported_value",
    ),
    field="temperature",
)
# github.com/openai/openai-dotnet/issues/55 (the filter), github.com/icereed/paperless-gpt/issues/814 (limits)
AZURE = replace(
    OPENAI,
    wrong_key=_error(
        401, "Access denied due to invalid subscription key or wrong API endpoint.", code="401", type="invalid"
    ),
    busy=_error(
        429,
        "Your requests to gpt-4.1-nano have exceeded the token rate limit. Please retry after 45 seconds.",
        code="RateLimitReached",
    ),
    wait=45.0,
    refusal=_error(
        400,
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        type=None,
        param="prompt",
        code="content_filter",
        innererror={"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}},
    ),
)
# docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html: the kind stands in a header
BEDROCK = replace(
    OPENAI,
    good=_chat(f"<reasoning>An empty call.</reasoning>{NOTES}"),
    wrong_key=Reply(
        status=403,
        body={"Message": "The security token included in the request is invalid"},
        headers={"x-amzn-ErrorType": "UnrecognizedClientException"},
    ),
    busy=Reply(
        status=429,
        body={"message": "Too many tokens, please wait before trying again."},
        headers={"x-amzn-ErrorType": "ThrottlingException"},
    ),
    wait=None,
    too_long=Reply(
        status=400,
        body={"message": "Input is too long for requested model."},
        headers={"x-amzn-ErrorType": "ValidationException"},
    ),
    counts=(0, 0),
    refusal=_chat("Blocked.", "guardrail_intervened"),
    refused_field=_error(400, "Unsupported parameter: 'stop' is not supported with this model."),
    field="stop",
)
# github.com/meta-llama/llama-models/issues/354
LLAMA = replace(
    OPENAI,
    wrong_key=Reply(status=401, body={"title": "Unauthorized", "detail": "Invalid API key.", "status": 401}),
    busy=Reply(
        status=429,
        body={"title": "Too Many Requests", "detail": "You have exceeded the maximum number of tokens.", "status": 429},
    ),
    wait=None,
    too_long=Reply(
        status=400, body={"title": "Bad request", "detail": "Prompt exceeds the context window", "status": 400}
    ),
    counts=(0, 0),
    refusal=_chat("", "content_filter"),
    refused_field=Reply(
        status=400, body={"title": "Bad request", "detail": "Unknown field: 'stop' is not supported", "status": 400}
    ),
    field="stop",
)


def _message(text: str, reason: str = "end_turn") -> Reply:
    usage = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 16,
        "output_tokens": 7,
    }
    content = [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": text}] if text else []
    return Reply(body={"type": "message", "content": content, "stop_reason": reason, "usage": usage})


def _anthropic(status: int, kind: str, message: str, **headers: str) -> Reply:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return Reply(status=status, body=body, headers=headers)


# platform.claude.com/docs/en/api/errors, /api/rate-limits, /build-with-claude/handling-stop-reasons; for fields
# github.com/Mixpeal/anthropic-sdk/issues/11
ANTHROPIC = Shown(
    good=_message(NOTES),
    wrong_key=_anthropic(401, "authentication_error", "invalid x-api-key"),
    busy=_anthropic(429, "rate_limit_error", "This request would exceed your rate limit.", **{"retry-after": "9"}),
    wait=9.0,
    too_long=_anthropic(400, "invalid_request_error", "prompt is too long: 5000 tokens > 4096 maximum"),
    counts=(5000, 4096),
    refusal=_message("", "refusal"),
    refused_field=_anthropic(400, "invalid_request_error", "`temperature` is deprecated for this model."),
    field="temperature",
)
# github.com/vllm-project/vllm/issues/4667: errors lie bare; newer versions wrap them
VLLM = replace(
    OPENAI,
    wrong_key=Reply(status=401, body={"error": "Unauthorized"}),
    busy=Reply(status=503, body={"error": {"message": "Service Unavailable", "type": "Service", "code": 503}}),
    wait=None,
    too_long=Reply(
        status=400,
        body={
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
            "(4900 in the messages, 100 in the completion).",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    refusal=_chat("", "content_filter"),
    refused_field=Reply(
        status=422,
        body={"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs 'seed'"}]},
    ),
    field="seed",
)
# docs.ollama.com/api/errors
OLLAMA = replace(
    OPENAI,
    wrong_key=_error(401, "unauthorized", type="api_error", param=None, code=None),
    busy=_error(503, "server busy, please try again. maximum pending requests exceeded", type="api_error"),
    wait=None,
    too_long=_error(400, "the input length exceeds the context length", type="invalid_request_error"),
    counts=(0, 0),
    refusal=_chat("", "content_filter"),
    refused_field=_error(400, 'json: unknown field "seed"', type="invalid_request_error"),
    field="seed",
)
# github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
LLAMA_CPP = replace(
    OPENAI,
    wrong_key=_error(401, "Invalid API Key", type="authentication_error", code=401),
    busy=_error(503, "Loading model", type="unavailable_error", code=503),
    wait=None,
    too_long=_error(
        400,
        "the request exceeds the available context size, try increasing it",
        type="exceed_context_size_error",
        code=400,
        n_prompt_tokens=5000,
        n_ctx=4096,
    ),
    refusal=_chat("", "content_filter"),
    refused_field=_error(400, "Unsupported param: stop", type="invalid_request_error", code=400),
    field="stop",
)
SHOWN = {
    "compatible": OPENAI,
    "openai": OPENAI,
    "azure": AZURE,
    "bedrock": BEDROCK,
    "llama": LLAMA,
    "anthropic": ANTHROPIC,
    "vllm": VLLM,
    "ollama": OLLAMA,
    "llama.cpp": LLAMA_CPP,
}
