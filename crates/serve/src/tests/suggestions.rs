//! Suggestions over HTTP: what is found in a group, what is withheld and why, and pipelines made of them.

use serde_json::json;

use super::*;

/// Sends lines of a noisy group: health checks, payments with fields and card numbers, and other lines.
async fn fill(house: &House) {
    let health = (0..800).map(|n| format!("INFO GET /healthz 200 {}", n % 90));
    let paid = (0..700).map(|n| format!("INFO paid user=u{n} amount={}.50", n % 100));
    let others = (0..500).map(|n| {
        let words = ["stored", "sent", "opened", "closed", "joined", "moved"];
        let things = ["a receipt", "the basket", "one parcel", "every label", "some stock"];
        format!("INFO {} {} by {}", words[n % 6], things[(n / 6) % 5], ["hand", "mail", "truck", "air"][(n / 30) % 4])
    });
    let secrets = ["INFO charged 4111 1111 1111 1111".to_owned(), "INFO mail ann@example.org".to_owned()];
    let lines: Vec<String> = health.chain(paid).chain(others).chain(secrets).collect();
    assert_eq!(house.post("/api/v1/ingest?group=shop/web&format=text", lines.join("\n")).await.status, 200);
}

async fn suggestions(house: &House) -> Value {
    let answer = house.administer("GET", "/api/v1/suggestions?group=shop/web", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Sends a request as JSON, with the admin key.
async fn administer_json(house: &House, body: &Value) -> Reply {
    let request = Request::post("/api/v1/pipelines").header("x-catat-key", ADMIN_KEY);
    let request = request.header("content-type", "application/json");
    house.send(request.body(body.to_string().into()).expect("a request")).await
}

fn of<'v>(answer: &'v Value, list: &str, reason: &str) -> Option<&'v Value> {
    answer[list].as_array()?.iter().find(|one| one["reason"] == reason)
}

#[tokio::test]
async fn noise_secrets_and_fields_of_a_group_are_suggested_with_exact_counts() {
    let house = House::new();
    fill(&house).await;
    let answer = suggestions(&house).await;
    assert_eq!((&answer["events"], &answer["partial"], &answer["withheld"]), (&json!(2002), &json!(false), &json!([])));
    let health = of(&answer, "suggestions", "health_check").expect("health checks are noise");
    assert_eq!(
        (&health["kind"], &health["events"], &health["dry_run"]["dropped"]),
        (&json!("drop"), &json!(800), &json!(800))
    );
    assert_eq!(health["event_share"], json!(0.3996));
    assert!(health["bytes"].as_u64().is_some_and(|bytes| bytes >= 800 * 21), "{health}");
    for (reason, n_events) in [("card", 1), ("email", 1), ("key_value", 700)] {
        let found = of(&answer, "suggestions", reason).unwrap_or_else(|| panic!("{reason}: {answer}"));
        assert_eq!(found["events"], json!(n_events), "{found}");
    }
    let card = of(&answer, "suggestions", "card").expect("a card");
    let example = &card["dry_run"]["examples"][0];
    assert_eq!(example["changes"][0]["after"], "INFO charged [card]", "{example}");
}

#[tokio::test]
async fn a_suggestion_becomes_a_pipeline_that_does_what_its_dry_run_said() {
    let house = House::new();
    fill(&house).await;
    let health = of(&suggestions(&house).await, "suggestions", "health_check").expect("noise").clone();
    let body = json!({"definition": health["definition"], "dry_run": true, "group": "shop/web"});
    let tried = administer_json(&house, &body).await.json();
    assert_eq!(
        (&tried["dry_run"]["dropped"], &tried["bytes"]),
        (&json!(800), &suggestions(&house).await["bytes"]),
        "{tried}"
    );
    assert_eq!(house.administer("GET", "/api/v1/pipelines", "").await.json()["pipelines"], json!([]));

    let made = administer_json(&house, &json!({"definition": health["definition"]})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let again = administer_json(&house, &json!({"definition": health["definition"]})).await;
    assert_eq!((again.status, &again.json()["error"]["code"]), (409, &json!("pipeline-exists")));
    fill(&house).await;
    let name = made.json()["name"].as_str().expect("a name").to_owned();
    let listed = house.administer("GET", "/api/v1/pipelines", "").await.json()["pipelines"][0].clone();
    assert_eq!(
        (&listed["name"], &listed["dropped"], &listed["made_by"]),
        (&json!(name), &json!(800), &json!("admin.key"))
    );
    let answer = suggestions(&house).await;
    assert!(of(&answer, "suggestions", "health_check").is_none(), "{answer}");
    assert_eq!(answer["made"], json!([name]));

    let after = house.restarted();
    after.server.app.intake.configure_pipelines(&json!([])).expect("the stored pipelines are right");
    assert_eq!(after.administer("GET", "/api/v1/pipelines", "").await.json()["pipelines"][0]["name"], json!(name));
    let gone = house.administer("DELETE", &format!("/api/v1/pipelines/{}", encoded(&name)), "").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert_eq!(house.administer("GET", "/api/v1/pipelines", "").await.json()["pipelines"], json!([]));
    assert_eq!(house.administer("DELETE", "/api/v1/pipelines/nothing", "").await.status, 404);
}

/// Returns what withholds the suggestion about health checks, as `kind name`.
async fn withheld_by(house: &House) -> Vec<String> {
    let answer = suggestions(house).await;
    let Some(withheld) = of(&answer, "withheld", "health_check") else {
        assert!(of(&answer, "suggestions", "health_check").is_some(), "{answer}");
        return Vec::new();
    };
    assert_eq!(withheld["definition"], Value::Null, "what is withheld cannot be made with a click");
    let used = withheld["used_by"].as_array().expect("names of what needs it");
    used.iter()
        .map(|one| format!("{} {}", one["kind"].as_str().unwrap_or_default(), one["name"].as_str().unwrap_or("?")))
        .collect()
}

#[tokio::test]
async fn what_a_rule_may_need_is_never_dropped() {
    let rules = "
groups:
  - name: shop
    rules:
      - {name: errors, query: 'filter @level >= \"error\"', groups: [shop/*], window: 5m, condition: 'count > 0'}
      - {name: slow checks, query: 'filter @message like \"/healthz\"', groups: [shop/web], window: 5m, condition: 'count > 0'}
      - {name: elsewhere, query: 'filter @message like \"/healthz\"', groups: [db], window: 5m, condition: 'count > 0'}
      - {name: by status, query: 'filter status >= 500', groups: [shop/web], window: 5m, condition: 'count > 0'}
";
    let house = House::with_rules(rules);
    fill(&house).await;
    assert_eq!(withheld_by(&house).await, ["rule slow checks", "rule by status"]);
    // What is needed cannot be made by hand either.
    let definition =
        json!({"name": "all", "match": {"group": "shop/web", "matches": "healthz"}, "steps": [{"drop": "event"}]});
    let refused = administer_json(&house, &json!({"definition": definition})).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (409, &json!("pipeline-events-used")));
    assert!(refused.text().contains("slow checks"), "{}", refused.text());
    assert_eq!(house.administer("GET", "/api/v1/pipelines", "").await.json()["pipelines"], json!([]));
}

#[tokio::test]
async fn what_a_view_a_metric_a_dashboard_or_an_issue_may_need_is_never_dropped() {
    let house = House::new();
    fill(&house).await;
    assert_eq!(withheld_by(&house).await, Vec::<String>::new());
    let view = |name: &str, query: &str| json!({"name": name, "view": {"q": query, "groups": "shop/web"}});
    for (name, query) in [("errors", "filter @level = \"error\""), ("all of it", "")] {
        let request = Request::post("/api/v1/views").header("content-type", "application/json");
        let made = house.send(request.body(view(name, query).to_string().into()).expect("a request")).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    assert_eq!(withheld_by(&house).await, ["view all of it"]);
    let request =
        Request::post("/api/v1/metrics").header("content-type", "application/json").header("x-catat-key", ADMIN_KEY);
    let metric = json!({"name": "checks_total", "type": "counter", "query": "filter @message like \"healthz\"", "groups": ["shop/web"]});
    let made = house.send(request.body(metric.to_string().into()).expect("a request")).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(withheld_by(&house).await, ["metric checks_total", "view all of it"]);

    // What a panel shows is needed, too; what a variable may choose cannot be told.
    let panel = |query: &str, groups: Value| json!({"id": "p", "kind": "line", "x": 0, "y": 0, "w": 6, "h": 4, "queries": [{"query": query, "groups": groups}]});
    for (name, query, groups) in [
        ("errors", "filter @level = \"error\" | stats count(*) by bin($__interval)", json!(["shop/web"])),
        ("elsewhere", "filter host = $host | stats count(*)", json!(["db"])),
        ("checks", "filter @message like \"healthz\" | stats count(*) by bin($__interval)", json!(["shop/web"])),
        ("chosen", "filter @message like $host | stats count(*)", json!(["shop/*"])),
    ] {
        let variables = json!([{"name": "host", "values": ["a", "b"]}]);
        let body = json!({"title": name, "variables": variables, "panels": [panel(query, groups)]}).to_string();
        let request = Request::put(format!("/api/v1/dashboards/{name}")).header("x-catat-key", ADMIN_KEY);
        let request = request.header("content-type", "application/json");
        let made = house.send(request.body(body.into()).expect("a request")).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let expected = ["metric checks_total", "view all of it", "dashboard checks", "dashboard chosen"];
    assert_eq!(withheld_by(&house).await, expected);

    // Errors count for issues: a pipeline that takes them from a group with an issue is refused.
    assert_eq!(house.post("/api/v1/ingest?group=shop/pay&format=text", "ERROR out of paper").await.status, 200);
    let definition =
        json!({"name": "e", "match": {"group": "shop/pay", "level": "error"}, "steps": [{"drop": "event"}]});
    let refused = administer_json(&house, &json!({"definition": definition})).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("issue \\\"") && refused.text().contains("out of paper"), "{}", refused.text());
}

#[tokio::test]
async fn empty_and_small_groups_have_a_sentence_and_others_are_refused_by_name() {
    let house = House::new();
    let answer = suggestions(&house).await;
    assert_eq!(
        (&answer["suggestions"], &answer["note"]),
        (&json!([]), &json!("There are no events of this group in the range."))
    );
    house.post("/api/v1/ingest?group=shop/web&format=text", "INFO paid with 4111 1111 1111 1111").await;
    assert_eq!(suggestions(&house).await["note"], "1 event is too few to suggest anything.");
    for (group, message) in
        [("catat/audit", "the server's own"), ("", "group is missing"), ("a*", "not the name of one group")]
    {
        let refused = house.administer("GET", &format!("/api/v1/suggestions?group={}", encoded(group)), "").await;
        assert_eq!(refused.status, 400, "{group}");
        assert!(refused.text().contains(message), "{}", refused.text());
    }
    assert_eq!(house.get("/api/v1/suggestions?group=shop/web").await.status, 401);
    assert_eq!(
        administer_json(&house, &json!({"definition": {"name": "a", "steps": [{"mask": "emial"}]}})).await.status,
        400
    );
    assert_eq!(house.administer("POST", "/api/v1/pipelines", "{}").await.status, 415);
}

#[tokio::test]
async fn an_admin_of_some_groups_makes_pipelines_for_those_alone() {
    let house = House::new();
    let key =
        house.administer("POST", "/api/v1/keys", r#"{"name":"shop","role":"admin","groups":["shop/*"]}"#).await.json();
    let key = key["key"].as_str().expect("a key").to_owned();
    for (definition, status) in [
        (json!({"name": "own", "match": {"group": "shop/web"}, "steps": [{"mask": "email"}]}), 201),
        (json!({"name": "all", "steps": [{"mask": "email"}]}), 403),
        (json!({"name": "db", "match": {"group": "db"}, "steps": [{"mask": "email"}]}), 403),
        (json!({"name": "out", "match": {"group": "shop/x"}, "steps": [{"route": "{team}/x"}]}), 403),
        (json!({"name": "in", "match": {"group": "shop/x"}, "steps": [{"route": "shop/{team}"}]}), 201),
    ] {
        let request =
            Request::post("/api/v1/pipelines").header("x-catat-key", &key).header("content-type", "application/json");
        let answer =
            house.send(request.body(json!({"definition": definition}).to_string().into()).expect("a request")).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}
