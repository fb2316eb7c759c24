//! The addresses of the pages on which the rota is shown and made. What they do stands in the file of each.

use super::{board, changes, counts, editor, index, publish, settings, wish_link, wishes, year};

pages! {
    get "/duty" => board::home;
    get "/public/{code}/duty" => board::public;
    get "/rota" => index::index;
    post "/rota" => index::add;
    get "/rota/drafts/{id}" => editor::draft;
    post "/rota/drafts/{id}/seat" => editor::set;
    post "/rota/drafts/{id}/undo" => editor::undo;
    post "/rota/drafts/{id}/redo" => editor::redo;
    post "/rota/drafts/{id}/copy" => editor::copy;
    post "/rota/drafts/{id}/draw" => editor::draw;
    post "/rota/drafts/{id}/drop" => editor::drop_draft;
    get "/rota/drafts/{id}/fill" => editor::fill;
    post "/rota/drafts/{id}/fill" => editor::filled;
    get "/rota/drafts/{id}/publish" => publish::preview;
    post "/rota/drafts/{id}/publish" => publish::publish;
    get "/rota/publications/{id}" => publish::publication;
    get "/rota/changes" => changes::list;
    post "/rota/changes" => changes::add;
    post "/rota/changes/{id}/withdraw" => changes::withdraw;
    get "/rota/holes" => changes::holes;
    get "/rota/year" => year::show;
    get "/rota/counts" => counts::show;
    post "/rota/counts/close" => counts::close;
    get "/rota/settings" => settings::show;
    post "/rota/settings" => settings::save;
    get "/rota/settings/slots" => settings::slots;
    post "/rota/settings/slots" => settings::save_slots;
    get "/rota/wishes" => wishes::list;
    post "/rota/wishes" => wishes::open;
    get "/rota/wishes/{id}" => wishes::round;
    post "/rota/wishes/{id}/until" => wishes::until;
    post "/rota/wishes/{id}/remind" => wishes::remind;
    get "/rota/wishes/{id}/for/{member}" => wishes::for_member;
    post "/rota/wishes/{id}/for/{member}" => wishes::write_for;
    post "/k/wishes" => wish_link::answer;
    get "/me/wishes" => wishes::mine;
    get "/me/wishes/{id}" => wishes::own;
    post "/me/wishes/{id}" => wishes::write_own;
}
