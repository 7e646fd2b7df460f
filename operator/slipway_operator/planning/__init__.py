"""The decision: plan(target, observed, now) -> Plan. Pure and total; knows no kopf, no client, no clock."""
