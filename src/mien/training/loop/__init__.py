"""How a run goes: steps, schedules, checkpoints, several processes, and the folder that it leaves."""
