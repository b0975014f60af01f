"""Describe failed records and plan replays, without calling AWS. Import from its modules: failures, masking, replay."""
