"""Run by the python of the environment `transformers`: prepares texts as a training program does.

Reads from standard input `{"texts", "cases": [{"folder", "out", "length", "side", "used"}]}`, loads the
tokenizer of each folder, says what it makes of the texts, and saves it to `out`, as it is saved beside a
model: after its use, which leaves padding and truncation in tokenizer.json, or before, with the length in
tokenizer_config.json.
"""

import json
import sys
from typing import Any

from transformers import AutoTokenizer


def _tokens(texts: list[str], case: dict[str, Any]) -> dict[str, Any]:
    said = {"padding_side": case["side"], "truncation_side": case["side"]}
    if not case["used"]:
        said["model_max_length"] = case["length"]
    tokenizer = AutoTokenizer.from_pretrained(case["folder"], **said)
    if not case["used"]:
        tokenizer.save_pretrained(case["out"])
    made = tokenizer(
        texts, padding=True, truncation=True, max_length=case["length"], return_token_type_ids=True
    )
    if case["used"]:
        tokenizer.save_pretrained(case["out"])
    return {name: made[name] for name in ("input_ids", "attention_mask", "token_type_ids")}


asked = json.load(sys.stdin)
print(json.dumps([_tokens(asked["texts"], case) for case in asked["cases"]]))
