"""The client ledger: load generators that lose no record of a request, their driver and one report."""
