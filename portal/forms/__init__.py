"""The ground's forms: one field at a time; what concerns several rows is asked by the verbs."""
