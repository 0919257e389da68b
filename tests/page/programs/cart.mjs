// A shop that keeps every session for ever: cart.mjs OUT writes a heap snapshot each thousand requests.
import { writeHeapSnapshot } from 'node:v8'

class Session {
  constructor(number) {
    this.id = `session-${number}`
    this.secret = `secret-of-${number}`
    this.items = Array.from({ length: 8 }, (_, line) => ({ line, title: `item ${number} ${line}` }))
  }
}

class Store {
  sessions = new Map()
  putSession(number) {
    this.sessions.set(number, new Session(number))
  }
}

const store = new Store()
for (let part = 1; part <= 2; part++) {
  for (let request = 0; request < 1000; request++) store.putSession(part * 1000 + request)
  writeHeapSnapshot(`${process.argv[2]}/node.${part}.heapsnapshot`)
}
