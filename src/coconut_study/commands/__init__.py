"""The commands behind the rules, one each: parse, call, write. The work is elsewhere."""
