import { createRoot } from 'react-dom/client'

import './shell/language'
import './shell/style.css'
import './shell/marks.css'
import { App } from './shell/App'

createRoot(document.getElementById('root')!).render(<App />)
