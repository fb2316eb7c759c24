# Signing in of the office: passkeys, passwords with one-time codes, recovery, sessions.

## Doors
signin-office-door = Office work
signin-to-office = For the office
signin-to-doctors = For doctors
signin-to-lost = If you lost your means to sign in

## Signing in
signin-office-title = Sign in for office work
signin-office-what = For staff, coordinators and officers.
signin-passkey-what = With your finger, your face, or the number of your device.
signin-passkey-go = Use a passkey
signin-passkey-failed = That did not work. Press again, or use another way.
signin-by-password = Password and one-time code
signin-password = Password
signin-code = One-time code (6 digits)
signin-code-hint = The digits your authenticator app shows.
signin-remember = Remember this device (no waiting after mistakes)
signin-refused = That did not work. Please check what you typed. A code can be used once.
signin-wait = There were many mistakes. Please wait { $n } min and try again.
signin-ceiling = After many mistakes the password no longer works. Use a passkey, or “If you lost your means to sign in” below.

## Once more
signin-again-title = Please show once more who you are
signin-again-what = This is asked before important steps.
signin-again-kept = What you typed is kept.
signin-again-passkey = With your passkey.
signin-again-go = Confirm and go on
signin-carry-title = Thank you
signin-carry-what = Go on with what you typed.
signin-carry-go = Go on

## One's own means
means-title = How you sign in
means-first-title = Set up how you sign in
means-first-what = Set up one of the two. You can add the other later.
means-passkeys = Passkeys
means-passkeys-what = You sign in with your finger, your face, or the number of your device. The easiest and safest way.
means-passkey-add = Add a passkey
means-passkey-label = What to call this device
means-passkey-default = Office computer
means-since = Added { $when }
means-used = Used { $when }
means-remove = Remove
means-remove-named = Remove “{ $name }”
means-password = Password and authenticator app
means-password-what = You sign in with a password and the six digits of an app on your phone.
means-password-add = Set up password and app
means-password-change = Change the password
means-password-remove = Remove password and app
means-app-new = Set up the app again
means-codes = Recovery codes
means-codes-left = { $n } left. For when you lose your means to sign in.
means-codes-new = Make new recovery codes
means-added = Added.
means-removed = Removed.
means-last = The last one cannot be removed. Add another one first.
means-too-late = Too much time has passed. Please begin again.
word-means-pin = By PIN
word-means-passkey = By passkey
word-means-password = By password and code
word-means-setup = By an invitation
word-means-demo = In the exercise

## Password and app
password-title = Password and authenticator app
password-app = Authenticator app
password-app-what = Scan this picture with your authenticator app.
password-qr = QR code for the authenticator app
password-letters = If it cannot be scanned, type these letters.
password-first-code = The code the app shows (6 digits)
password-own = Password
password-rules = 13 to 128 characters. Several words in a row are strong and easy to remember.
password-may-keep = Leave it empty to keep your password.
password-new = New password
password-save = Save
password-too-short = Please use at least 13 characters.
password-too-long = Please use at most 128 characters.
password-too-easy = This is mostly common words or names and easy to guess. Please choose other words.
password-code-wrong = The code does not fit. Type the one the app shows now.

## Recovery codes
codes-title = Recovery codes
codes-what = Print them or write them down, and lock them away. They are not shown again.
codes-keep = Each code can be used once.
codes-next = I have kept them

## Sessions
sessions-title = Where you are signed in
sessions-what = These devices are signed in in your name.
sessions-this = This one
sessions-since = Since { $when }
sessions-seen = Last used { $when }
sessions-end = End it
sessions-end-named = End the session: { $when }
sessions-ended = Ended.
sessions-all-what = If you do not recognise one, end all of them. Remembered devices are forgotten too.
sessions-end-all = Sign out everywhere

## Colleagues
staff-title = People of the office
staff-person-title = Somebody of the office
staff-what = Who may do office work, and how they sign in.
staff-state-ready = Set up
staff-state-none = Not set up
staff-state-recovery = Recovery waits
staff-find = Give a member an office role
staff-find-what = Type their mail address.
staff-find-go = Find
staff-find-none = No member has this address.
staff-find-several = Several members use this address. Please check the directory.
staff-means = How they sign in
staff-has-password = They have a password and an authenticator app.
staff-invite-what = A link to set it up goes out by mail. They need their PIN.
staff-invite = Send the link
staff-invited = The link was sent.
staff-no-pin = They have no PIN yet. Give them one first.
staff-no-address = They have no mail address. Enter one first.
staff-has-means = They are set up already. Who lost it asks for recovery.
staff-not-office = Give them an office role first.
staff-revoke = Revoke
staff-revoked = Revoked. Their sessions ended.
staff-roles = Office roles
staff-roles-hint = A change ends their sessions.
staff-roles-save = Change the roles
staff-roles-set = The roles were changed.
staff-last-administrator = There would be no administrator left.
staff-no-role = They would have no role left.
staff-end-what = Ends every session of this person.
staff-end = End all their sessions
staff-ended = All their sessions ended.
staff-recovery = Recovery
staff-recovery-asked = Asked for { $when }. Waiting for a colleague to confirm who it is.
staff-recovery-due = Confirmed. The link goes out { $when }.
staff-vouch-what = Meet or call the person and make sure that they asked for it.
staff-vouch = I made sure it is them
staff-vouched = Confirmed. The link goes out after some time.
staff-not-oneself = Nobody confirms for themselves.
staff-nothing-waits = No recovery waits.
staff-recovery-stop = Stop the recovery
staff-recovery-stopped = The recovery was stopped.

## Recovery
lost-title = If you lost your means to sign in
lost-what = Type one recovery code to ask for new means.
lost-code = Recovery code (12 characters)
lost-code-malformed = The code has 12 characters. Please check your sheet.
lost-go = Ask for recovery
lost-no-code = Without a recovery code, talk to an administrator.
lost-sent-title = Received
lost-sent-text = If the code was right, this happens next.
lost-sent-1 = A colleague (administrator or officer) confirms who you are.
lost-sent-2 = { $n } hours later a link comes by mail.
lost-sent-3 = Open it with your PIN or another recovery code.

## Behind a mailed link
setup-link-title = Set up how you sign in
setup-link-or-code = Without the PIN: another recovery code
setup-link-first = This is the first set-up. No PIN is needed.
setup-link-go = Go on
stop-title = Stop the recovery
stop-what = If you did not ask for it, stop it here.
stop-go = Stop the recovery
stopped-title = Stopped
stopped-text = This recovery goes no further. Please also tell the office.

## On the board
word-alarm-recovery_stopped = { $name }: the recovery of their means to sign in was stopped. Please ask them.

# A form sent after its session ended
kept-what = The page was not used for a while, so it was closed.
kept-words = What you wrote is still on this page.
kept-pin-go = Confirm and go on
kept-other = Another way
kept-step-1 = Show who you are in a new window. Please keep this page open.
kept-office = For the office
kept-step-2 = Then come back to this page and press here.
kept-go = I have shown who I am
kept-not-yet = You are not signed in yet. What you wrote is still here.

# Keys of the API
keys-title = API keys
keys-what = With these, other systems work with this association's data.
keys-list = Keys
keys-none = There is no key yet.
keys-made = Made { $when }
keys-ended = Taken away { $when }
keys-state-live = In use
keys-state-revoked = Opens nothing
keys-revoke = Take away
keys-revoke-named = Take away the key “{ $name }”
keys-revoked = The key was taken away. It opens nothing any more.
keys-new = Make a new key
keys-label = Name of the key
keys-label-hint = So that you know later which system has it.
keys-label-missing = Please write a name of at most 100 letters.
keys-scopes = What it may do
keys-scope-missing = Please choose at least one.
keys-make = Make the key
keys-shown-title = The new key
keys-shown-what = This key is shown only now. Please copy it into the other system.
keys-shown-next = I have copied it
keys-shown-before = That key was shown once. Make a new one if you need it.
word-scope-read = Read, without clinical text
word-scope-read_clinical = Read clinical text
word-scope-request = Make and withdraw requests
word-scope-act_for = Answer for a doctor
word-scope-directory = Write the directory
word-scope-ledger = Read the ledger
word-scope-audit = Read the audit log
word-scope-rota = Read and change the rota
