"""Text that people and models see alike: the format visible-text of the contract."""

import re

# What shows nothing, or turns round what stands beside it, and so can hide from a person what a model still reads:
# controls but tab and line breaks, U+2028 and U+2029, interlinear annotations, and all of Default_Ignorable_Code_Point
# (Unicode, DerivedCoreProperties).
HIDDEN = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
SELECTOR = r"[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
JOINER = r"[\u200c\u200d]"
KEYCAP = r"[#*0-9\xa9\xae][\ufe0e\ufe0f]"
# The flags of regions: a black flag and a few letters that are not shown (UTS 51, emoji tag sequences).
FLAG = r"\U0001f3f4[\U000e0061-\U000e007a]{4,5}\U000e007f"
HAS_HIDDEN = re.compile(f"[{HIDDEN}]")
# From U+0600 on, where the scripts begin that join their letters, a character may have one selector and one joiner.
ONE_VISIBLE = rf"{FLAG}|[^{HIDDEN}\u0000-\u05ff]{SELECTOR}?{JOINER}?|{KEYCAP}|[^{HIDDEN}\u0600-\U0010ffff]"
VISIBLE = re.compile(f"(?:{ONE_VISIBLE})*")


def is_visible(text: object) -> bool:
    """Whether a text holds nothing hidden but what scripts and emoji need. What is no text is not its concern."""
    return not isinstance(text, str) or not HAS_HIDDEN.search(text) or VISIBLE.fullmatch(text) is not None
