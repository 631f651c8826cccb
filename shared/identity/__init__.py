"""Who may do what: users, the tokens they hold, the passwords they know.

A *user* has one role and any number of *families* of refresh tokens; e-mail and username are *login names*, and a login
name belongs to one user at most. An *access token* is proof for 15 minutes that needs no document to be read; only the
function `auth` can mint one. A *refresh token* is used once; used twice, its family ends. Guessing is slowed per
account, never stopped for good, and looks the same for accounts that do not exist. What changes a user's rights (role,
activity, password) ends every family at once and every access token when its minutes are over.
"""
