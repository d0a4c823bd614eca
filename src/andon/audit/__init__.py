"""Which OK photos are unlike the others, why, and what they do to the threshold: what `andon audit` says."""

from andon.audit.audit import Audit, AuditedPhoto, audit

__all__ = ["Audit", "AuditedPhoto", "audit"]
