import { Empty, Input, Modal, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { matchPath, useLocation, useNavigate } from 'react-router'

import { maySee, tasks, useTaskTexts, type Task } from '../tasks'
import type { Role } from './me'
import { useFoundPeople } from './person'
import { useShellTexts } from './texts'

/** Ctrl+K: a person or a task, by the keyboard alone. */
export function Finder({ open, close, role }: { open: boolean; close: () => void; role: Role }) {
  const t = useShellTexts()
  const label = useTaskTexts()
  const navigate = useNavigate()
  const here = useLocation().pathname
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const people = useFoundPeople(open ? text : '')
  const typed = text.trim().toLowerCase()
  // From an open file the cut is of that person.
  const person = matchPath('/people/:id', here)?.params.id
  const exact = (task: Task) => (label(task.label).toLowerCase() === typed ? 0 : 1)
  const found = [
    ...tasks
      .filter((task) => task.menu && maySee(task, role) && label(task.label).toLowerCase().includes(typed))
      .sort((a, b) => exact(a) - exact(b))
      .map((task) => ({ key: `task ${task.path}`, group: t('tasks'), label: label(task.label), note: '', to: `/${task.path}${task.path === 'cuts/new' && person && person !== 'import' ? `?person=${person}` : ''}` })),
    ...(text.trim() ? (people.data?.items ?? []) : []).map((p) => ({
      key: p.id, group: t('people'), label: p.name, note: `${p.employee_no} · ${p.department} · ${p.status_text}`, to: `/people/${p.id}`,
    })),
  ]
  useEffect(() => setAt(0), [text])
  useEffect(() => {
    if (!open) setText('')
  }, [open])
  const go = (to: string | undefined) => {
    if (!to) return
    close()
    void navigate(to)
  }
  return (
    <Modal open={open} onCancel={close} footer={null} closable={false} title={t('search')} destroyOnHidden>
      <Input
        autoFocus
        size="large"
        role="combobox"
        aria-expanded
        aria-controls="found"
        aria-activedescendant={found[at] && `found-${at}`}
        aria-label={t('searchHint')}
        placeholder={t('searchHint')}
        value={text}
        maxLength={100}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1))
          else if (e.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
          else if (e.key === 'Enter' && !e.nativeEvent.isComposing) go(found[at]?.to)
          else return
          e.preventDefault()
        }}
      />
      <div id="found" role="listbox" aria-label={t('search')} className="found">
        {found.length === 0 && !people.isFetching && <Empty description={t('noResult')} image={Empty.PRESENTED_IMAGE_SIMPLE} />}
        {found.map((f, i) => (
          <div key={f.key} id={`found-${i}`} role="option" aria-selected={i === at} className={i === at ? 'at' : ''} onClick={() => go(f.to)} onMouseEnter={() => setAt(i)}>
            <span>{f.label}</span> <Typography.Text type="secondary">{f.note || f.group}</Typography.Text>
          </div>
        ))}
      </div>
    </Modal>
  )
}
