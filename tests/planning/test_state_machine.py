"""The planner in any order of events: no invariant breaks on the way, and the end is the one asked for."""

from tests.planning.machine import Rollouts

TestRollouts = Rollouts.TestCase
