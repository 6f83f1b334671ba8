//! Pipelines over HTTP: their list, their dry run, and who may see them.

use serde_json::json;

use super::*;

fn definitions() -> Value {
    json!([{
        "name": "pay",
        "match": {"group": "pay/*"},
        "steps": [
            {"mask": ["email", "token"], "hash_key": "a key of sixteen signs"},
            {"drop": "event", "when": {"contains": "healthz"}},
        ],
    }])
}

fn compiled() -> ingest::Pipelines {
    ingest::Pipelines::compile(&definitions()).expect("the definitions are right")
}

#[tokio::test]
async fn what_was_masked_or_dropped_on_its_way_in_is_not_found() {
    let house = House::new();
    house.server.app.intake.set_pipelines(compiled());
    let body = "{\"message\":\"paid by bob@example.com\"}\n{\"message\":\"GET /healthz\"}\n{\"message\":\"plain\"}";
    let answer = house.post("/api/v1/ingest?group=pay/web", body).await.json();
    assert_eq!(answer["accepted"], 3, "{answer}");
    let rows = house.get("/api/v1/query?query=fields%20@message,%20message&from=0").await.text();
    assert!(rows.contains("[email:") && rows.contains("plain"), "{rows}");
    assert!(!rows.contains("bob@") && !rows.contains("healthz"), "{rows}");
    let listed = house.administer("GET", "/api/v1/pipelines", "").await.json();
    let pipeline = &listed["pipelines"][0];
    assert_eq!((&pipeline["events"], &pipeline["masked"], &pipeline["dropped"]), (&json!(3), &json!(1), &json!(1)));
    assert!(!listed.to_string().contains("sixteen"), "a key is shown: {listed}");
    let metrics = house.get("/metrics").await.text();
    assert!(metrics.contains("catat_pipeline_dropped_total{pipeline=\"pay\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_dry_run_shows_each_step_and_stores_nothing() {
    let house = House::new();
    let asked = json!({
        "pipelines": definitions(), "group": "pay/web",
        "lines": ["password=hunter2 from a@b.de", "GET /healthz"], "records": [{"message": "x", "user": "a@b.de"}],
    });
    let answer = house.administer("POST", "/api/v1/pipelines/test", asked.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let events = &answer.json()["events"];
    assert_eq!(events[0]["fate"], "kept");
    assert_eq!(events[0]["steps"][1]["done"], "masked");
    assert_eq!(events[0]["steps"][1]["changes"][0]["field"], "@message");
    assert_eq!(events[1]["fate"], "dropped");
    assert_eq!(events[1]["event"], Value::Null);
    assert_eq!(events[2]["recognised"]["as"], "record");
    assert!(events[2]["event"]["user"].as_str().is_some_and(|user| user.starts_with("[email:")), "{events}");
    assert_eq!(house.get("/api/v1/groups").await.json()["groups"], json!([]));
}

#[tokio::test]
async fn mistakes_of_a_dry_run_are_located() {
    let house = House::new();
    let asked = json!({"pipelines": [{"name": "a", "steps": [{"mask": "emial"}]}], "lines": ["x"]});
    let answer = house.administer("POST", "/api/v1/pipelines/test", asked.to_string()).await;
    assert_eq!(answer.status, 400);
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("pipeline[0].steps[0].mask") && message.contains("did you mean"), "{message}");
}

#[tokio::test]
async fn pipelines_are_a_matter_of_admins() {
    let house = House::new();
    assert_eq!(house.get("/api/v1/pipelines").await.status, 401);
    assert_eq!(house.post("/api/v1/pipelines/test", "{}").await.status, 401);
}
