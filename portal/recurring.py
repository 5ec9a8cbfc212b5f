"""Recurring work, registered with RQ's scheduler: one sweep a minute looks after everything else."""

from rq.cron import register

from portal import jobs

register(jobs.sweep, queue_name=jobs.QUICK, interval=jobs.SWEEP_SECONDS, result_ttl=60)
