"""Call AWS: one adapter per table or service. Import each module by itself, so that a function is bundled with the
adapters it uses and no others."""
