"""Numbers: exact moments of polynomial networks, exact solutions of systems, certificates."""
