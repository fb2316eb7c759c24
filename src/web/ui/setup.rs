//! Setting up an association, its texts, its rules page, how long things are kept, totals.

pages! {}
