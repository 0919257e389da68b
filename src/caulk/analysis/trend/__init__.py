"""Memory over time to a judgement: floors, slope with interval, tests of growth, states, kinds, pools of replicas."""
