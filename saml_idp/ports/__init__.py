"""What services need from the world: one small Protocol each.

Every method of a store belongs to a *unit*: ``with store.unit() as unit`` commits at the
end and rolls back on an exception; ``with store.view() as unit`` only reads. A unit is short:
nothing is hashed, verified, signed or sent inside. A compare-and-swap that loses raises
``TransitionNotAllowed``; what is not there raises ``NotFound`` unless the method says
``find_``; a database that does not answer raises ``StoreUnavailable``.
"""
