# Mails, English. One line of a mail = one text. Only what may travel by mail: association, kind, specialty,
# coarse area, urgency, deadline, case number, link or code, office phone.

# In every mail
mail-not-urgent = Do not use this mail for anything urgent. Office of { $association }: { $phone }
mail-code = If the link does not open, go to { $place } and type the code { $code }.
mail-until = This link works until { $until }.

# What is wished for
mail-wish-advice = advice
mail-wish-visit = a visit
mail-wish-either = advice or a visit
mail-urgency-routine = no hurry
mail-urgency-soon = for today or tomorrow
mail-urgency-urgent = urgent

# Kinds of request
mail-kind-consult = consult
mail-kind-cover = night cover
mail-kind-transfer = transfer
mail-kind-urgent = urgent call
mail-kind-swap = duty swap

# A volunteer is asked
mail-consult-offer-subject = { $specialty } consult by { $short } ({ $case })
mail-consult-offer-1 = The home-care duty of { $association } asks { $specialty } for a consult.
mail-consult-offer-2 = Area: { $area }. Wished for: { $wish }, { $urgency }.
mail-consult-offer-3 = Reply by { $deadline } (case { $case })
mail-consult-offer-button = Look at it and reply
mail-consult-offer-4 = You can decline on the same page. No reason is needed.

# Signing in
mail-sign-in-subject = Your link to the home-care duty pages
mail-sign-in-1 = This link opens the home-care duty pages of { $association }.
mail-sign-in-button = Open the pages
mail-sign-in-2 = If you did not ask for it, delete this mail. Nothing will change.

# Setting up the means of signing in (office)
mail-office-setup-subject = Set up how you sign in for office work
mail-office-setup-1 = You can set up how you sign in for office work at { $association }.
mail-office-setup-2 = Please have your PIN at hand.
mail-office-setup-button = Begin
mail-office-setup-3 = If you did not expect this, call the office: { $phone }.

# Somebody of the office lost every means: to them, and to those who watch over it
mail-recovery-subject = New means of signing in were asked for
mail-recovery-1 = New means of signing in were asked for by a member of staff at { $association }.
mail-recovery-2 = A colleague confirms who it is, and after some time a new link comes by mail.
mail-recovery-3 = If it was not you, stop it on the page below.
mail-recovery-button = Open the page to stop it
mail-recovery-4 = If you stop it, please also tell the office: { $phone }.

# Somebody else took it (only to those who had opened it)
mail-taken-subject = A colleague has kindly taken it ({ $case })
mail-taken-1 = A colleague has kindly taken the { $specialty } consult (case { $case }).
mail-taken-2 = Thank you for looking at it. No reply is needed.

# Withdrawn
mail-withdrawn-subject = The request was withdrawn ({ $case })
mail-withdrawn-1 = The asking doctor has withdrawn the { $specialty } consult (case { $case }).
mail-withdrawn-2 = No reply is needed. Thank you.

# Accepted: to the asker
mail-accepted-subject = Your request was accepted ({ $case })
mail-accepted-1 = A colleague has accepted your { $specialty } consult (case { $case }).
mail-accepted-2 = The answer is due by { $deadline }
mail-accepted-button = Open the consult

# Accepted: to the taker
mail-receipt-subject = You accepted a consult ({ $case })
mail-receipt-1 = Thank you for accepting the { $specialty } consult (case { $case }).
mail-receipt-2 = The answer is due by { $deadline }
mail-receipt-button = Open the consult
mail-receipt-3 = If something comes up, you can give it back on the same page.
mail-receipt-4 = If this was not you, phone the office at once: { $phone }.

# Answered: to the asker
mail-answered-subject = Your consult was answered ({ $case })
mail-answered-1 = There is an answer to your { $specialty } consult (case { $case }).
mail-answered-2 = When you have read it, please close the consult on the same page.
mail-answered-button = Read the answer

# Half time: to the taker
mail-answer-due-subject = Your answer is due by { $short } ({ $case })
mail-answer-due-1 = The { $specialty } consult you accepted (case { $case }) waits for your answer.
mail-answer-due-2 = The answer is due by { $deadline }
mail-answer-due-button = Write the answer
mail-answer-due-3 = If you cannot, give it back on the same page. We will ask a colleague.

# The deadline passed without an answer: to the taker
mail-released-taker-subject = The time for your answer has passed ({ $case })
mail-released-taker-1 = The time for answering the { $specialty } consult (case { $case }) has passed.
mail-released-taker-2 = We are asking a colleague. You need not answer any more.
mail-released-taker-3 = Sorry for the trouble. If something came up, tell the office: { $phone }.

# The deadline passed without an answer: to the asker
mail-released-asker-subject = We are asking another colleague ({ $case })
mail-released-asker-1 = Your { $specialty } consult (case { $case }) was not answered in time.
mail-released-asker-2 = We are asking other colleagues again.
mail-released-asker-button = Open the consult

# The answer waits to be closed: to the asker
mail-close-reminder-subject = Please close your consult ({ $case })
mail-close-reminder-1 = Your { $specialty } consult (case { $case }) was answered and is still open.
mail-close-reminder-2 = Four questions close it. They take about a minute.
mail-close-reminder-button = Close the consult

# Closed with thanks: to the taker
mail-closed-subject = The consult is closed. Thank you ({ $case })
mail-closed-1 = The asking doctor has closed the { $specialty } consult (case { $case }).
mail-closed-2 = Thank you for your help.
mail-closed-button = See the outcome

# Nobody left to ask: to the coordinator
mail-exhausted-subject = ACTION: nobody is left to ask ({ $case })
mail-exhausted-1 = Nobody is left to ask for the { $kind } request (case { $case }).
mail-exhausted-2 = Deadline: { $deadline }
mail-exhausted-3 = This is repeated until you open it and press "Seen".
mail-exhausted-button = Open the request

# Somebody cannot be reached: to the coordinator
mail-unreachable-subject = ACTION: a member cannot be reached
mail-unreachable-1 = Mail to a member does not arrive. The page shows the name.
mail-unreachable-2 = Until the address is checked, requests go to the others only.
mail-unreachable-button = Open the contacts

# A mail could not be sent: to the coordinator
mail-dead-subject = ACTION: a mail could not be sent ({ $case })
mail-dead-1 = A mail of the { $kind } request (case { $case }) could not be sent.
mail-dead-2 = The page shows to whom and why. Please phone instead.
mail-dead-button = Open the outbox

# Expired: to the asker
mail-expired-asker-subject = Nobody accepted in time ({ $case })
mail-expired-asker-1 = Nobody accepted your { $specialty } consult (case { $case }) in time.
mail-expired-asker-2 = The coordinator has been told. If it is pressing, phone the office: { $phone }.
mail-expired-asker-button = Open the consult

# Expired: to the coordinator
mail-expired-coordinator-subject = ACTION: a request has expired ({ $case })
mail-expired-coordinator-1 = Nobody accepted the { $kind } request (case { $case }) before its deadline.
mail-expired-coordinator-2 = Deadline: { $deadline }
mail-expired-coordinator-button = Open the request

# Hands were raised: to the asker
mail-choose-subject = Colleagues who could help: { $count } ({ $case })
mail-choose-1 = Colleagues who could take your { $specialty } consult (case { $case }): { $count }
mail-choose-2 = Please choose one by { $deadline }
mail-choose-button = Choose a colleague

# A test
mail-test-subject = Does this mail arrive? ({ $association })
mail-test-1 = The home-care duty of { $association } checks that its mail reaches you.
mail-test-2 = Press the button, and then "It arrived" on the page that opens.
mail-test-button = Say that it arrived

# What was destroyed: to officers and administrators
mail-retention-subject = Texts past their time of keeping were erased
mail-retention-1 = { $texts } texts of { $cases } requests were erased; their time of keeping was over.
mail-retention-2 = They can no longer be read. The ledger and the log of changes are still there.
mail-retention-3 = If a request must be kept, please call the office at { $phone }.
mail-retention-button = Open the settings

# To the contact of an institution: enrol the shared device
mail-station-subject = Enrol your shared device ({ $association })
mail-station-1 = This link lets your people use the home-care service of { $association } on a device you share.
mail-station-2 = Open it on that device, then choose your own name and enter your own PIN.
mail-station-button = Enrol this device
mail-station-3 = The link works once. Please do not send it to other institutions.

# About a duty of the rota: what is asked, how it ended
mail-duty-own = confirm your wish
mail-duty-give = take a duty
mail-duty-exchange = exchange duties
mail-duty-call = stand in
mail-duty-hole = fill an open duty
mail-duty-approve = approve a change
mail-duty-end-taken = a colleague has taken it
mail-duty-end-withdrawn = it was withdrawn
mail-duty-end-refused = it was not agreed to
mail-duty-end-expired = nobody took it in time
mail-duty-end-void = a new rota made it void

# Somebody is asked about a duty
mail-duty-ask-subject = Duty, { $short }: please { $ask } ({ $case })
mail-duty-ask-1 = { $association } asks you about the rota: please { $ask }.
mail-duty-ask-2 = The duty begins: { $begins }
mail-duty-ask-3 = Answer by: { $deadline } (case { $case })
mail-duty-ask-button = Look and answer
mail-duty-ask-4 = You can say no on the same page. No reason is needed.

# A duty changed hands
mail-duty-changed-subject = Duty, { $short }: changed (case { $case })
mail-duty-changed-1 = The rota of { $association } has changed (case { $case }).
mail-duty-changed-2 = The duty that changed begins: { $begins }
mail-duty-changed-button = See who is on duty
mail-duty-changed-3 = If you know nothing of it, phone the office at once: { $phone }

# The deputy is the primary now
mail-duty-moved-up-subject = Urgent: duty, { $short }: you are primary ({ $case })
mail-duty-moved-up-1 = The primary physician cannot come. You are on duty as primary now (case { $case }).
mail-duty-moved-up-2 = The duty begins: { $begins }
mail-duty-moved-up-3 = Colleagues are being asked to stand in as deputy.
mail-duty-moved-up-button = See my duties
mail-duty-moved-up-4 = If you cannot come, phone the office at once: { $phone }

# Somebody fell ill: to who is on beside them, and to the coordinators
mail-duty-ill-subject = Duty, { $short }: somebody cannot come (case { $case })
mail-duty-ill-1 = A physician on duty cannot come. Colleagues are being asked to fill what is open (case { $case }).
mail-duty-ill-2 = The duty begins: { $begins }. Who is on now stands on the page below.
mail-duty-ill-button = See who is on duty

# A change was undone
mail-duty-undone-subject = Duty, { $short }: change undone (case { $case })
mail-duty-undone-1 = A change of the rota was undone; it is as it was before (case { $case }).
mail-duty-undone-2 = The duty begins: { $begins }. Who is on now stands on the page below.
mail-duty-undone-button = See who is on duty

# Nothing comes of it
mail-duty-ended-subject = Duty, { $short }: about the change (case { $case })
mail-duty-ended-1 = About the change of a duty (case { $case }): { $end }.
mail-duty-ended-2 = The duty begins: { $begins }. No answer is needed. Who is on now stands on the page below.
mail-duty-ended-button = See who is on duty

# To whoever watches the board: a recovery was asked for, or stopped
mail-recovery-alarm-subject = CHECK: recovery of means to sign in
mail-recovery-alarm-1 = At { $association }, a recovery of a member of staff's means to sign in was asked for, or stopped.
mail-recovery-alarm-2 = The page shows whose it is.
mail-recovery-alarm-button = Open the board

# A telephone number is to change: to the person, at the address known before
mail-phone-asked-subject = A change of your telephone number was asked for
mail-phone-asked-1 = At { $association }, a change of your telephone number was asked for.
mail-phone-asked-2 = The office will call you back on your present number or your institution's before it counts. Until then we call the present number.
mail-phone-asked-3 = If it was not you, please call the office at once: { $phone }.
mail-phone-changed-subject = Your telephone number was changed
mail-phone-changed-1 = At { $association }, your telephone number was changed after the office had called back.
mail-phone-changed-2 = If it was not you, please call the office at once: { $phone }.
mail-address-changed-subject = Your mail goes to another address now
mail-address-changed-1 = At { $association }, the address of your mail was changed. From now on we write to the new one.
mail-address-changed-2 = If it was not you, please call the office at once: { $phone }.
mail-phone-dropped-subject = Your telephone number stays as it was
mail-phone-dropped-1 = At { $association }, the change of your telephone number was dropped. We go on calling the present number.
mail-phone-dropped-2 = If anything is unclear, please call the office: { $phone }.
mail-ledger-chase-subject = A report or confirmation is missing ({ $case }, { $count } in all)
mail-ledger-chase-1 = Of { $period }, the report or the confirmation of { $count } case(s) (such as { $case }) has not arrived.
mail-ledger-chase-2 = Until it does they cannot be subsidised. Please enter it on the page, or tell the office by fax or phone.
mail-ledger-chase-button = Open the page
mail-ledger-chase-3 = If you sent it already, our letters crossed: there is nothing to do.
