// A shop that keeps every session for ever: cart-sampled.mjs OUT writes V8's sampling heap profile each thousand requests.
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'

const sessions = new Map()

function putSession(number) {
  const items = []
  for (let line = 0; line < 8; line++) items.push({ line, title: `item ${number} ${line}`, prices: [line, number, line] })
  sessions.set(number, items)
}

const inspector = new Session()
inspector.connect()
inspector.post('HeapProfiler.startSampling', { samplingInterval: 32768 })
for (let part = 1; part <= 2; part++) {
  for (let request = 0; request < 10_000; request++) putSession(part * 10_000 + request)
  inspector.post('HeapProfiler.getSamplingProfile', (error, { profile }) => {
    writeFileSync(`${process.argv[2]}/node.${part}.heapprofile`, JSON.stringify(profile))
  })
}
