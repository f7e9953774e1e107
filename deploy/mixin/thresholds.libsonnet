// Where each threshold stands in the expression of an alert: alert, as it is written, as it is wanted.
function(config) [
  ['KullbackLabelsMissing', '>= 1000', '>= %g' % config.waitingRows],
  ['KullbackLabelsMissing', '> 2 *', '> %g *' % config.waitingGrowth],
  ['KullbackIdsDisagree', 'waiting_labels) >= 1000', 'waiting_labels) >= %g' % config.waitingRows],
  ['KullbackIdsDisagree', 'predictions:max >= 1000', 'predictions:max >= %g' % config.waitingRows],
  ['KullbackRowsRejected', '> 0.01 *', '> %g *' % config.rejectedShare],
  ['KullbackRowsRejected', '>= 100', '>= %g' % config.rejectedRows],
  ['KullbackStoreFailing', '> 0.05', '> %g' % config.storeFailedShare],
  ['KullbackStoreFailing', '>= 5', '>= %g' % config.storeFailedWrites],
  ['KullbackRequestsFailing', '> 0.01', '> %g' % config.requestsFailedShare],
  ['KullbackRequestsFailing', '>= 100', '>= %g' % config.requests],
]
