"""The command line ``saml-idp``: one file a noun, one command a verb.

It calls the same verbs as the pages do, with the operating system's user as the actor. It
takes no secret from its arguments and holds no rule of its own.
"""
