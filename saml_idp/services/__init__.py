"""The verbs. One module a verb; a service loads, decides in the domain, stores, returns."""
