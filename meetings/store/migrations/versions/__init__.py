"""One module a step; `revision` names the schema that it leads to."""
