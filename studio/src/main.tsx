import { render } from 'preact';
import './style/fonts.css';
import './style/base.css';
import './style/controls.css';
import './style/panels.css';
import { App } from './app';

const root = document.getElementById('studio');
if (root !== null) render(<App />, root);
