//! Flow logs of a VPC: who talks to whom, how much, and what is rejected.

use super::board::{Board, lines};
use crate::document::PanelKind;

const FLOWS: &str = "ispresent(srcAddr) and ispresent(dstAddr)";
const REJECTED: &str = "action = \"REJECT\" and ispresent(srcAddr)";

pub(super) fn add(board: &mut Board<'_>) {
    let facts = board.lines();
    if !["srcAddr", "dstAddr", "action"].iter().all(|name| facts.has(name)) {
        return;
    }
    board.section("Flows");
    board.add(lines(PanelKind::Number, "Flows", FLOWS, "stats count(*) as flows").unit("count"));
    let traffic = "ispresent(srcAddr) and bytes > 0";
    board.add(lines(PanelKind::Number, "Traffic", traffic, "stats sum(bytes) as bytes").unit("bytes"));
    board.add(lines(PanelKind::Number, "Rejected flows", REJECTED, "stats count(*) as flows").unit("count"));
    let course = "stats sum(bytes) as bytes by bin($__interval), action";
    board.add(lines(PanelKind::Area, "Traffic by decision", traffic, course).unit("bytes").stacked());
    let course = "stats count(*) as flows by bin($__interval), action";
    board.add(lines(PanelKind::Area, "Flows by decision", FLOWS, course).unit("count").stacked());
    let bytes = "sum(bytes) as bytes, sum(packets) as packets, count(*) as flows";
    for (title, by) in [
        ("Pairs with most traffic", "srcAddr, dstAddr"),
        ("Sources with most traffic", "srcAddr"),
        ("Destinations with most traffic", "dstAddr, dstPort"),
        ("Interfaces", "interfaceId"),
    ] {
        let query = format!("stats {bytes} by {by} | sort bytes desc | limit 10");
        board.add(lines(PanelKind::Table, title, traffic, query));
    }
    let query = "stats count(*) as flows by dstPort, srcAddr | sort flows desc | limit 10";
    board.add(lines(PanelKind::Table, "Rejected most", REJECTED, query));
    let query = "stats count(*) as flows by dstPort as port | sort flows desc | limit 10";
    board.add(lines(PanelKind::Bar, "Ports of rejected flows", REJECTED, query).unit("count"));
}
