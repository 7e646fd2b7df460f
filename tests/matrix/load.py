"""The requests of most cases: every kind of client, and little work for a busy machine. Pure."""

from tests.ledger.generator.load import ClientClass, Load, Rate, Think

MODEST = Load(
    clients={
        ClientClass.FAST: 1,
        ClientClass.SLOW: 2,
        ClientClass.POOL: 1,
        ClientClass.NEW: 1,
        ClientClass.UPLOAD: 1,
    },
    paces={
        ClientClass.FAST: Rate(6),
        ClientClass.SLOW: Think(0, 4),
        ClientClass.POOL: Rate(4),
        ClientClass.NEW: Rate(4),
    },
    max_seconds=1500,
    max_requests=100_000,
)
