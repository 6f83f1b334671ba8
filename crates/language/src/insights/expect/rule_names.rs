//! Rules of the grammar as a person names them.

use crate::insights::grammar::Rule;

fn is_command(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::fields
            | Rule::display
            | Rule::filter
            | Rule::parse
            | Rule::sort
            | Rule::limit
            | Rule::tail
            | Rule::stats
            | Rule::dedup
            | Rule::rename
            | Rule::drop
            | Rule::eval
            | Rule::source
            | Rule::keyword
            | Rule::timechart
            | Rule::top
            | Rule::rare
            | Rule::unnest
            | Rule::fillmissing
            | Rule::filldown
            | Rule::lookup
            | Rule::join
            | Rule::appendcols
            | Rule::mvexpand
            | Rule::addtotals
            | Rule::autoregress
            | Rule::sessionize
            | Rule::outlier
            | Rule::pattern
            | Rule::diff
            | Rule::logcompare
            | Rule::anomaly
    )
}

pub(super) fn kind_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        rule if is_command(rule) => "a command such as fields, filter or stats",
        Rule::kw_timeshift => "`timeshift`",
        Rule::expr | Rule::paren | Rule::number | Rule::duration | Rule::literal | Rule::call | Rule::field => {
            "a field, a value or a function"
        }
        Rule::item | Rule::sort_key | Rule::negate | Rule::not | Rule::bound | Rule::function => {
            "a field, a value or a function"
        }
        Rule::parse_glob | Rule::parse_regex | Rule::parse_format | Rule::format_name | Rule::parse_grok => {
            "a text with stars or a /regular expression/"
        }
        Rule::regex => "a text in quotes or a /regular expression/",
        Rule::string | Rule::log_groups => "a text in quotes",
        Rule::list | Rule::values | Rule::subquery => "a list such as [\"a\", \"b\"]",
        Rule::name | Rule::renaming | Rule::assignment | Rule::backticked => "a name",
        Rule::count => "a whole number",
        Rule::comparison
        | Rule::arithmetic
        | Rule::logical
        | Rule::like
        | Rule::has
        | Rule::kw_has
        | Rule::matches
        | Rule::matches_not => "an operator",
        Rule::is_in | Rule::between => "an operator",
        Rule::comma_sign => "`,`",
        Rule::close => "`)`",
        Rule::open => "`(`",
        Rule::equals => "`=`",
        Rule::kw_into => "`into`",
        Rule::kw_with => "`with`",
        Rule::filling => "a number or a text",
        Rule::table | Rule::table_name => "the name of a table",
        Rule::lookup_key | Rule::lookup_output | Rule::join_key | Rule::name_pattern => "a name",
        Rule::option | Rule::option_name => "an option such as max=10",
        Rule::option_value | Rule::option_word => "a value",
        Rule::other => "a query in brackets",
        Rule::is_equal => "`=`",
        Rule::kw_on => "`where`",
        Rule::kw_output => "`output`",
        Rule::kw_offset | Rule::offset => "`offset`",
        Rule::kw_maxspan | Rule::maxspan => "`maxspan`",
        Rule::alias => "`as`",
        Rule::colon => "`:`",
        Rule::group_test => "namePrefix",
        Rule::kw_for => "`for`",
        Rule::filler => "a number or a text",
        Rule::kw_by | Rule::by | Rule::ranking_by => "`by`",
        Rule::kw_as => "`as`",
        Rule::kw_and => "`and`",
        Rule::kw_like => "`like`",
        Rule::kw_in => "`in`",
        Rule::pipe => "`|`",
        Rule::star => "`*`",
        _ => return None,
    })
}
