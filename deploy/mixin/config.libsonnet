// What may be changed; with these values the mixin is deploy/prometheus and deploy/grafana.
{
  _config+:: {
    job: 'kullback',  // of the scrapes
    selector: '',  // for every series of Kullback: 'cluster="a", namespace="scoring"'
    runbookURL: 'https://kullback.example/docs/alerts.md',
    grafanaURL: 'http://127.0.0.1:3000',
    pagesURL: 'http://127.0.0.1:8000',  // of Kullback itself, as people reach it
    dashboardTags: ['kullback'],

    // Of checks the thresholds are those of each monitor (docs/monitors.md).
    waitingRows: 1000,  // KullbackLabelsMissing, KullbackIdsDisagree
    waitingGrowth: 2,  // KullbackLabelsMissing: times the most of the week before
    rejectedShare: 0.01,  // KullbackRowsRejected
    rejectedRows: 100,
    storeFailedShare: 0.05,  // KullbackStoreFailing
    storeFailedWrites: 5,
    requestsFailedShare: 0.01,  // KullbackRequestsFailing
    requests: 100,
  },
}
