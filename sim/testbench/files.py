"""Files a run leaves in its working folder: what to do, how far it is, what came out."""

__all__ = ["JOB_FILE", "PACE_FILE", "PROGRESS_FILE", "TRACE_FILE"]

JOB_FILE, PROGRESS_FILE, TRACE_FILE, PACE_FILE = "job.pickle", "progress.txt", "trace.npz", "pace.json"
