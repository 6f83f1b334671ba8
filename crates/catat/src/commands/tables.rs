//! `catat tables`: the tables that other engines read.

use crate::arguments::ClientOptions;
use crate::client::Server;
use crate::failure::Result;
use crate::output::print_list;

/// Columns of the list of tables.
const COLUMNS: &str = "group name rows files columns published location error";

pub(crate) fn tables(options: &ClientOptions) -> Result<()> {
    let server = Server::new(&options.remote)?;
    let answer = server.get("/api/v1/tables")?;
    if answer["published"] == false {
        say!("catat: the server publishes no tables; its settings name no [tables] url");
    }
    if let Some(error) = answer["error"].as_str() {
        say!("catat: the place of the tables cannot be read: {error}");
    }
    print_list(&options.printing, COLUMNS, &answer["tables"])
}
