"""The custom format visible-text: text without hidden characters, so that people and models read the same."""

import re

# Invisible and bidirectional characters, which can hide from a person what a model still reads: controls except tab and
# line breaks, U+2028 and U+2029, interlinear annotations, and all of Default_Ignorable_Code_Point (Unicode,
# DerivedCoreProperties).
HIDDEN = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
SELECTOR = r"[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
JOINER = r"[\u200c\u200d]"
KEYCAP = r"[#*0-9\xa9\xae][\ufe0e\ufe0f]"
# Flags of regions: a black flag followed by invisible tag letters (UTS 51, emoji tag sequences).
FLAG = r"\U0001f3f4[\U000e0061-\U000e007a]{4,5}\U000e007f"
HAS_HIDDEN = re.compile(f"[{HIDDEN}]")
# From U+0600 on, where the joining scripts begin, a character may be followed by one selector and one joiner.
ONE_VISIBLE = rf"{FLAG}|[^{HIDDEN}\u0000-\u05ff]{SELECTOR}?{JOINER}?|{KEYCAP}|[^{HIDDEN}\u0600-\U0010ffff]"
VISIBLE = re.compile(f"(?:{ONE_VISIBLE})*")


def is_visible(text: object) -> bool:
    """Whether a text has no hidden characters except those that scripts and emoji need. True for other types."""
    return not isinstance(text, str) or not HAS_HIDDEN.search(text) or VISIBLE.fullmatch(text) is not None
