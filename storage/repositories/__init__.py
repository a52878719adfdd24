"""Reading and writing rows: functions that take a session and return records, never tables."""
