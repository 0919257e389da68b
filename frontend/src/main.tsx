// Begins: the answers of a one-file report are unpacked first, then the shell is shown.
import { render } from 'preact'
import { unpackIsland } from './api'
import { Shell } from './shell'
import './style.css'

await unpackIsland()
const place = document.getElementById('page')
if (place) render(<Shell />, place)
