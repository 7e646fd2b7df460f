"""The requests: one to four sentences, each made unique by the request's id.

The id inside the text lets the judge see that an answer belongs to this request and to no other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SENTENCES = (
    "The delivery came a day early and everything was in perfect order.",
    "I waited for two weeks and nobody answered my letters.",
    "A wonderful little film, warm from its first minute to its last.",
    "The soup was cold, the waiter rude and the bill wrong.",
    "It does what it says, no more and no less.",
    "Best purchase of the year, I have already recommended it to friends.",
    "The battery is dead after an hour and the screen flickers.",
    "The staff solved my problem within minutes and even smiled.",
    "Boring, far too long, and the ending makes no sense at all.",
    "A solid choice at a fair price.",
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent: its texts, and its body already encoded."""

    id: str
    texts: tuple[str, ...]
    body: bytes


def ask(request_id: str, chance: random.Random) -> Request:
    """Compose the request with this id. Id and sentences need no escaping in JSON."""
    sentences = chance.sample(SENTENCES, chance.randint(1, 4))
    texts = tuple(f"{sentence} ({request_id}/{index})" for index, sentence in enumerate(sentences))
    body = '{"texts":["' + '","'.join(texts) + '"]}'
    return Request(request_id, texts, body.encode("ascii"))
