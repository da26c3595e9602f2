import { eachMetric } from '../../src/metrics/registry.js';

/** Nothing was measured; examples begin with this, so that they have what figures there will ever be. */
export const noMetrics = eachMetric(() => null);
