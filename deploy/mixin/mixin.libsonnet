// The rules of deploy/prometheus and the dashboards of deploy/grafana, as other mixins offer theirs.
local select = import 'selector.libsonnet';
local thresholds = import 'thresholds.libsonnet';

local groups = std.parseYaml(importstr '../prometheus/rules.yml').groups;
local dashboards = {
  'experiments.json': import '../grafana/dashboards/experiments.json',
  'fleet.json': import '../grafana/dashboards/fleet.json',
  'monitor.json': import '../grafana/dashboards/monitor.json',
  'service.json': import '../grafana/dashboards/service.json',
};

// One text in place of another that must be there, or a change of the rules would pass unseen.
local instead(text, written, wanted, place) =
  assert std.length(std.findSubstr(written, text)) == 1 : '%s does not say %s once' % [place, written];
  std.strReplace(text, written, wanted);

local quoted(selector) = std.strReplace(selector, '"', '\\"');  // inside a text of a template

(import 'config.libsonnet') {
  local config = self._config,
  local others = if config.selector == '' then '' else ', ' + config.selector,
  local expression(text) = std.strReplace(
    std.strReplace(select(text, config.selector), 'job="$job"', 'job="$job"' + others),
    'job="kullback"',
    'job="%s"' % config.job + others
  ),

  local pages = 'http://127.0.0.1:8000',
  local annotation(text) = std.foldl(
    function(written, change) std.strReplace(written, change[0], change[1]),
    [
      ['https://kullback.example/docs/alerts.md', config.runbookURL],
      ['http://127.0.0.1:3000', config.grafanaURL],
      [pages, config.pagesURL],
    ],
    select(text, quoted(config.selector))
  ),

  local judged(rule) = std.foldl(
    function(text, change)
      if change[0] == std.get(rule, 'alert') then instead(text, change[1], change[2], change[0])
      else text,
    thresholds(config),
    rule.expr
  ),

  local configured(rule) = rule {
    expr: expression(judged(rule)),
    [if 'annotations' in rule then 'annotations']: std.mapWithKey(
      function(_, text) annotation(text), rule.annotations
    ),
  },

  local configuredGroups = [group { rules: std.map(configured, group.rules) } for group in groups],
  local alerts(group) = std.length([rule for rule in group.rules if 'alert' in rule]) > 0,

  // Texts that ask Prometheus, wherever they stand in a dashboard.
  local asking(value, key='') =
    if std.isObject(value) then std.mapWithKey(function(name, each) asking(each, name), value)
    else if std.isArray(value) then [asking(each, key) for each in value]
    else if value == pages then config.pagesURL
    else if std.isString(value) && std.member(['expr', 'query', 'definition'], key) then expression(value)
    else value,

  prometheusAlerts+:: { groups+: std.filter(alerts, configuredGroups) },
  prometheusRules+:: { groups+: std.filter(function(group) !alerts(group), configuredGroups) },
  grafanaDashboards+:: std.mapWithKey(
    function(_, board) asking(board) { tags: config.dashboardTags }, dashboards
  ),
}
