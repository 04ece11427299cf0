"""Everything that the gateway says to people, in English and Korean."""

from typing import Literal, get_args

from gateway.domain import StageName

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_ERRORS: dict[str, dict[Language, str]] = {
    "INVALID_IMAGE": {
        "en": "This file is not a readable photo. Please choose another one.",
        "ko": "읽을 수 없는 사진 파일입니다. 다른 사진을 선택해 주세요.",
    },
    "UNSUPPORTED_FORMAT": {
        "en": "This format is not supported; the details name it. Photos may be JPEG, PNG, WebP or HEIC.",
        "ko": "지원하지 않는 형식입니다. details에서 확인해 주세요. 사진은 JPEG, PNG, WebP, HEIC을 지원합니다.",
    },
    "INVALID_PARAMETER": {
        "en": "A parameter is missing, unknown or out of range; the details name it.",
        "ko": "매개변수가 없거나 알 수 없거나 허용 범위를 벗어났습니다. details에서 확인해 주세요.",
    },
    "IMAGE_TOO_LARGE": {
        "en": "This photo is too large. Please send a smaller one.",
        "ko": "사진이 너무 큽니다. 더 작은 사진을 보내 주세요.",
    },
    "UNAUTHENTICATED": {
        "en": "The API key is missing or wrong.",
        "ko": "API 키가 없거나 올바르지 않습니다.",
    },
    "RATE_LIMITED": {
        "en": "Too many requests. Please wait a moment and try again.",
        "ko": "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.",
    },
    "OVERLOADED": {
        "en": "The service is busy right now. Please try again in a moment.",
        "ko": "지금은 이용자가 많습니다. 잠시 후 다시 시도해 주세요.",
    },
    "DEADLINE_EXCEEDED": {
        "en": "The analysis took too long and was stopped. Please try again.",
        "ko": "분석 시간이 초과되어 중단되었습니다. 다시 시도해 주세요.",
    },
    "UNAVAILABLE": {
        "en": "The service is starting or temporarily unavailable. Please try again in a moment.",
        "ko": "서비스를 시작하는 중이거나 일시적으로 사용할 수 없습니다. 잠시 후 다시 시도해 주세요.",
    },
    "INTERNAL": {
        "en": "Something went wrong on our side. Please report the request id.",
        "ko": "내부 오류가 발생했습니다. 요청 ID와 함께 알려 주세요.",
    },
    "NOT_STORED": {
        "en": "Your correction could not be stored. Please send it again later.",
        "ko": "수정 내용을 저장하지 못했습니다. 나중에 다시 보내 주세요.",
    },
    "NOT_FOUND": {
        "en": "What you asked for is not here, or not any more.",
        "ko": "요청하신 것을 찾을 수 없습니다.",
    },
    "METHOD_NOT_ALLOWED": {
        "en": "This address does not answer to this method.",
        "ko": "이 주소에서 허용하지 않는 요청 방식입니다.",
    },
    "INVALID_REQUEST": {
        "en": "This request could not be understood; the details say why.",
        "ko": "요청을 이해할 수 없습니다. details에서 이유를 확인해 주세요.",
    },
    "URI_TOO_LONG": {
        "en": "The address of this request is too long.",
        "ko": "요청 주소가 너무 깁니다.",
    },
    "HEADERS_TOO_LARGE": {
        "en": "The headers of this request are too many or too long.",
        "ko": "요청 헤더가 너무 많거나 너무 깁니다.",
    },
}

CODES = frozenset(_ERRORS)
"""The codes that there are texts for."""

_PROGRESS: dict[StageName, dict[Language, str]] = {
    "received": {"en": "The photo has arrived.", "ko": "사진을 받았습니다."},
    "detecting": {"en": "Looking for holds.", "ko": "홀드를 찾고 있습니다."},
    "coloring": {"en": "Naming the colors.", "ko": "색을 구분하고 있습니다."},
    "grouping": {"en": "Putting problems together.", "ko": "문제별로 묶고 있습니다."},
    "done": {"en": "Done.", "ko": "완료되었습니다."},
}


def error(code: str, language: Language) -> str:
    """What went wrong, for people."""
    return _ERRORS[code][language]


def progress(stage: StageName, language: Language) -> str:
    """What is going on, for people."""
    return _PROGRESS[stage][language]


def choose_language(accept_language: str) -> Language:
    """Choose from an `Accept-Language` header the language that the caller likes best; English when in doubt."""
    wishes = [_wish(item) for item in accept_language.split(",")]
    liked = {language: max((q for name, q in wishes if name == language), default=0.0) for language in LANGUAGES}
    return "ko" if liked["ko"] > liked["en"] else "en"


def _wish(item: str) -> tuple[str, float]:
    """`ko-KR;q=0.8` → `("ko", 0.8)`; a weight that is no number counts as 0."""
    name, _, parameters = item.partition(";")
    weight = parameters.strip().removeprefix("q=") if parameters else "1"
    try:
        return name.strip().lower().partition("-")[0], float(weight)
    except ValueError:
        return "", 0.0
