"""Format counts as CloudWatch metrics. Others import from here."""

from aftersend.metrics.emf import emf_document, emf_documents

__all__ = ["emf_document", "emf_documents"]
