# Words of the office that stand in several pages and mails, under the codes of the data.
product = Home-care duty
## Specialties (診療科); the list is the association's, these are the usual ones
word-specialty-internal = Internal medicine
word-specialty-dermatology = Dermatology
word-specialty-gynaecology = Gynaecology
word-specialty-psychiatry = Psychiatry
word-specialty-orthopedics = Orthopaedics
word-specialty-urology = Urology
word-specialty-ophthalmology = Ophthalmology
word-specialty-otolaryngology = Ear, nose and throat
word-specialty-neurosurgery = Neurosurgery
word-specialty-neurology = Neurology
word-specialty-surgery = Surgery
word-specialty-cardiology = Cardiology
word-specialty-palliative = Palliative care
word-specialty-dentistry = Dentistry

## What is wished for, and agreed to
word-wish-advice = Advice
word-wish-visit = Advice, and a visit if needed
word-terms-plain = As asked
word-terms-advice = Advice only
word-terms-visit = Visit too

## By when
word-by-now = Now (by phone)
word-by-today = Today
word-by-tomorrow_noon = Tomorrow noon
word-by-three_days = Within three days
word-by-own = Choose a time

## The patient, without a name
word-decade-0 = Under 10
word-decade-10 = 10s
word-decade-20 = 20s
word-decade-30 = 30s
word-decade-40 = 40s
word-decade-50 = 50s
word-decade-60 = 60s
word-decade-70 = 70s
word-decade-80 = 80s
word-decade-90 = 90s
word-decade-100 = 100 or older
word-sex-female = woman
word-sex-male = man
word-sex-other = other or not said
word-condition-wound = Pressure sore, wound
word-condition-skin = Skin
word-condition-gynecological = Gynaecological
word-condition-mental = Mental health
word-condition-dementia = Dementia
word-condition-pain = Pain
word-condition-breathing = Breathing
word-condition-urinary = Urinary
word-condition-neurological = Neurological
word-condition-movement = Bones, joints, movement
word-condition-medicine = Medicines
word-condition-device = Tubes and devices
word-condition-other = Other
word-travel-no = Cannot travel
word-travel-with_help = Can travel with help
word-travel-yes = Can travel

## People and places
word-role-physician = Home-care doctor
word-role-specialist = Volunteer specialist
word-role-nurse_station = Visiting-nursing station
word-role-care_office = Care manager's office
word-role-city_observer = City (totals only)
word-role-clerk = Office
word-role-coordinator = Coordinator
word-role-officer = Officer
word-role-administrator = Administrator
word-institution-clinic = Clinic
word-institution-clinic_with_beds = Clinic with beds
word-institution-home_care_clinic = Home-care support clinic
word-institution-home_care_hospital = Home-care support hospital
word-institution-hospital = Hospital
word-institution-nursing_station = Visiting-nurse station
word-institution-association = Medical association
word-title-doctor = Dr { $name }
word-title-staff = { $name }

## Where a request stands
word-request-state-choosing = Please choose
word-request-state-open = Open
word-request-state-exhausted = Nobody found yet
word-request-state-taken = Taken
word-request-state-reported = Answered
word-request-state-closed = Closed
word-request-state-refused = Refused
word-request-state-withdrawn = Taken back
word-request-state-expired = Expired
word-offer-state-pending = To be asked
word-offer-state-asked = Waiting
word-offer-state-raised = Hand raised
word-offer-state-accepted = Taken
word-offer-state-declined = Declined
word-offer-state-lapsed = No answer
word-offer-state-unreachable = Cannot be reached
word-offer-state-full = Taken by another
word-offer-state-withdrawn = Taken back
word-offer-state-released = Given back
word-offer-state-held = Held
word-attempt-waiting = Mail waiting
word-attempt-sent = Mail sent
word-attempt-retrying = Mail tried again
word-attempt-failed = Mail cannot be delivered
word-attempt-none = No address
word-next-wave = At { $time } to the next { $n }
word-next-step = At { $time } the next step
word-next-coordinator = At { $time } the coordinator is told
word-next-release = At { $time }, without an answer, to others
word-next-reminder = At { $time } a reminder
word-next-expiry = At { $time } it ends
word-since = since { $time }
word-until = until { $time }

## Why somebody could not take it
word-rule-not_active = Your registration is on hold. Please phone the office.
word-rule-own_request = You cannot take your own request.
word-rule-monthly_cap = You have reached your number for this month.
word-rule-no_visits = You are not registered for visits. Advice only, please.
word-rule-wrong_terms = This answer does not fit the request. Please choose again.

## What has happened
word-happened-made = The request was made
word-happened-asked = { $name } was asked
word-happened-asked_n = { $n } were asked
word-happened-undeliverable = Mail to { $name } was not delivered
word-happened-accepted = { $name } took it
word-happened-declined = { $name } declined
word-happened-held = { $name } held it
word-happened-released = { $name } gave it back
word-happened-lapsed = { $name } did not answer
word-happened-reminded = { $name } was reminded
word-happened-opened = { $name } opened the case
word-happened-answered = { $name } answered
word-happened-exhausted = Nobody was left to ask
word-happened-alarmed = The coordinator was told
word-happened-seen = { $name } has seen it
word-happened-withdrawn = { $name } took it back
word-happened-expired = The time ran out
word-happened-closed = { $name } closed it
word-alarm-exhausted = { $no }: nobody has been found
word-alarm-expired = { $no }: the time ran out
word-alarm-undeliverable = { $no }: a mail cannot be delivered
word-alarm-silent = { $no }: taken, but no answer came
word-alarm-other = { $no }: please look
word-alarm-pin_locked = { $name }: the PIN was wrong several times
word-alarm-mail = Mail cannot be sent. Please check the settings
word-alarm-system = Something automatic stopped. Please tell the administrator

## The four questions
word-avoided-yes = Yes
word-avoided-no = No
word-avoided-unclear = Not clear
word-yes = Yes
word-no = No
word-helpful-1 = Not at all
word-helpful-2 = A little
word-helpful-3 = Fairly
word-helpful-4 = Helpful
word-helpful-5 = Very helpful

## The ledger
word-side-requester = Asking side
word-side-acceptor = Taking side
word-side-standby = Standby
word-yen = ¥{ $amount }
word-reason-out_of_dates = Outside the dates
word-reason-membership_lapsed = Membership had lapsed
word-reason-same_institution = The same institution
word-reason-no_report = No report
word-reason-not_confirmed = Not confirmed by the asking side
word-reason-duplicate = Counted already
word-reason-over_cap = Over the limit
word-reason-budget_spent = The budget is spent
word-reason-other_subsidy = Another subsidy applies
word-reason-wrong_band = Another time of day
word-reason-outside_area = Outside the area
word-reason-withdrawn_before_start = Taken back before the start
word-reason-test_call = A test call
word-reason-training = Training
word-reason-manual_by_officer = Decided by an officer
word-reason-below_minimum = Too few hours
word-needs-not_a_test = Not a test
word-needs-not_training = Not training
word-needs-not_withdrawn_before_start = Not taken back before the start
word-needs-in_dates = Within the dates
word-needs-in_band = At an eligible time
word-needs-requester_active = The asking side is a member
word-needs-acceptor_active = The taking side is a member
word-needs-different_institution = Different institutions
word-needs-report = A report is there
word-needs-report_within = A report within { $n } hours
word-needs-confirmed = Confirmed by the asking side
word-needs-not_excluded = No officer decided against it
word-needs-in_area = The patient lives in one of the cities
word-needs-standby_active = Who held the duty is a member
word-needs-hours_at_least = At least { $n } hours
word-needs-attempts = Who was tried is recorded
word-needs-household = The household had been told
word-needs-night_card = The night card was opened
word-needs-minutes = The minutes of work are known
word-needs-no_other_subsidy = No other subsidy was taken
word-needs-not_duplicate = The day is not counted already
word-needs-within_cap = Within the limits
word-needs-within_budget = Within the budget

## What is wrong with a field
word-wrong-missing = is required
word-wrong-too_long = is too long
word-wrong-not_text = has characters or a form that cannot be used
word-wrong-not_a_choice = is not one of the choices
word-wrong-too_soon = lies in the past or too close (if it is urgent, use the telephone)
word-wrong-too_late = lies too far ahead
word-wrong-out_of_range = is out of range
word-wrong-unknown = was not found
word-wrong-taken = is in use already
word-wrong-kind_not_yet = requests of this kind cannot be made yet; for now only consult
word-wrong-not_an_id = must be an id that begins with { $prefix }_
word-wrong-not_a_key = must be 1 to 255 visible ASCII characters
word-wrong-not_a_pin = must be four digits
word-wrong-not_the_taker = has not taken this request
word-wrong-not_the_asker = did not ask this request
