import { DeleteOutlined, EllipsisOutlined, HolderOutlined } from '@ant-design/icons'
import { DndContext, KeyboardSensor, PointerSensor, useDraggable, useDroppable, useSensor, useSensors, type Announcements, type KeyboardCoordinateGetter, type UniqueIdentifier } from '@dnd-kit/core'
import { Button, Card, Dropdown, Flex, Form, Input, Modal, Select, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { language } from '../../shell/language'
import { PersonPicker } from '../../shell/person'
import { useShellTexts } from '../../shell/texts'
import { addTier, CONFIGURERS, membersOf, move, PROTECTED, put, removeTier, take, type Draft, type Tier } from './draft'
import { useTexts } from './texts'

export interface Names {
  person: (id: string) => string
  tier: (key: string) => string
}

/** The tiers as columns, with people who are dragged between them, by mouse, by click or by keyboard. */
export function People({ permissions, draft, set, names, learn }: { permissions: Schemas['Permissions']; draft: Draft; set: (d: Draft) => void; names: Names; learn: (p: Schemas['Employee']) => void }) {
  const t = useTexts()
  const [adding, setAdding] = useState(false)
  const columns = [...draft.tiers.map((tier) => tier.key), PROTECTED, CONFIGURERS]
  const sensors = useSensors(useSensor(PointerSensor, { activationConstraint: { distance: 6 } }), useSensor(KeyboardSensor, { coordinateGetter: toTheNextColumn }))
  const whoIs = (id: UniqueIdentifier) => names.person(String(id).split(' ')[1] ?? '')
  const announcements: Announcements = {
    onDragStart: ({ active }) => t('grab', { who: whoIs(active.id) }),
    onDragOver: ({ active, over }) => (over ? t('over', { who: whoIs(active.id), tier: names.tier(String(over.id)) }) : undefined),
    onDragEnd: ({ active, over }) => (over ? t('dropped', { who: whoIs(active.id), tier: names.tier(String(over.id)) }) : t('cancelled', { who: whoIs(active.id) })),
    onDragCancel: ({ active }) => t('cancelled', { who: whoIs(active.id) }),
  }
  return (
    <DndContext
      sensors={sensors}
      accessibility={{ announcements, screenReaderInstructions: { draggable: t('dragHint') } }}
      onDragEnd={({ active, over }) => {
        const [from, who] = String(active.id).split(' ')
        if (over && from && who) set(move(draft, from, String(over.id), who))
      }}
    >
      <div className="tiers">
        {columns.map((key) => (
          <Column key={key} id={key} tier={draft.tiers.find((x) => x.key === key)} columns={columns} permissions={permissions} draft={draft} set={set} names={names} learn={learn} />
        ))}
        <Button onClick={() => setAdding(true)}>{t('addTier')}</Button>
      </div>
      <NewTier open={adding} permissions={permissions} close={() => setAdding(false)} add={(tier) => set(addTier(draft, tier))} />
    </DndContext>
  )
}

/** The arrow keys go from column to column. */
const toTheNextColumn: KeyboardCoordinateGetter = (event, { context: { droppableRects, droppableContainers, over } }) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.code]
  if (!step) return undefined
  event.preventDefault()
  const columns = droppableContainers
    .getEnabled()
    .flatMap(({ id }) => ({ id, rect: droppableRects.get(id)! }))
    .sort((a, b) => a.rect.top - b.rect.top || a.rect.left - b.rect.left) // as they are read, not as they came
  const at = columns.findIndex(({ id }) => id === over?.id)
  const next = columns[(at + step + columns.length) % columns.length]
  return next && { x: next.rect.left + 12, y: next.rect.top + 40 }
}

function Column({ id, tier, columns, permissions, draft, set, names, learn }: { id: string; tier?: Tier; columns: string[]; permissions: Schemas['Permissions']; draft: Draft; set: (d: Draft) => void; names: Names; learn: (p: Schemas['Employee']) => void }) {
  const t = useTexts()
  const { setNodeRef, isOver } = useDroppable({ id })
  const word = (list: Schemas['Word'][], value: string) => list.find((w) => w.value === value)?.text ?? value
  const hint = id === PROTECTED ? t('protectedHint') : id === CONFIGURERS ? t('configurersHint') : tier && [word(permissions.roles, tier.role), word(permissions.scopes, tier.scope)].filter((text) => text !== names.tier(id)).join(' · ')
  const members = membersOf(draft, id)
  return (
    <section ref={setNodeRef} className={isOver ? 'tier over' : 'tier'} aria-label={names.tier(id)}>
      <Card
        size="small"
        title={names.tier(id)}
        extra={
          tier &&
          !tier.default && (
            <Tooltip title={t('removeTier')}>
              <Button size="small" type="text" icon={<DeleteOutlined />} aria-label={`${t('removeTier')}: ${names.tier(id)}`} onClick={() => set(removeTier(draft, id))} />
            </Tooltip>
          )
        }
      >
        <Flex vertical gap={8}>
          <Typography.Text type="secondary">{hint}</Typography.Text>
          {tier?.default && <Tag style={{ whiteSpace: 'normal' }}>{t('default')}</Tag>}
          {members.length === 0 && !tier?.default && <Typography.Text type="secondary">{t('empty')}</Typography.Text>}
          {members.map((who) => (
            <Member key={who} from={id} who={who} columns={columns} draft={draft} set={set} names={names} />
          ))}
          <PersonPicker
            value={undefined}
            placeholder={t('add')}
            aria-label={`${t('add')}: ${names.tier(id)}`}
            onChange={(who, person) => {
              if (person) learn(person)
              if (who) set(put(draft, id, who))
            }}
          />
        </Flex>
      </Card>
    </section>
  )
}

function Member({ from, who, columns, draft, set, names }: { from: string; who: string; columns: string[]; draft: Draft; set: (d: Draft) => void; names: Names }) {
  const t = useTexts()
  const { attributes, listeners, setNodeRef, transform, isDragging } = useDraggable({ id: `${from} ${who}`, attributes: { roleDescription: t('dragHint') } })
  return (
    <div ref={setNodeRef} className={isDragging ? 'member moving' : 'member'} style={transform ? { transform: `translate(${transform.x}px, ${transform.y}px)` } : undefined}>
      <button type="button" className="grip" {...listeners} {...attributes} aria-label={names.person(who)}>
        <HolderOutlined /> {names.person(who)}
      </button>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'move', type: 'group', label: t('move'), children: columns.filter((c) => c !== from).map((c) => ({ key: c, label: names.tier(c), onClick: () => set(move(draft, from, c, who)) })) },
            { key: 'remove', label: t('remove'), danger: true, onClick: () => set(take(draft, from, who)) },
          ],
        }}
      >
        <Button size="small" type="text" icon={<EllipsisOutlined />} aria-label={`${t('move')}: ${names.person(who)}`} />
      </Dropdown>
    </div>
  )
}

function NewTier({ open, close, add, permissions }: { open: boolean; close: () => void; add: (tier: Omit<Tier, 'key' | 'members'>) => void; permissions: Schemas['Permissions'] }) {
  const t = useTexts()
  const shell = useShellTexts()
  const [form] = Form.useForm<Omit<Tier, 'key' | 'members'>>()
  const required = [{ required: true, message: shell('required') }]
  return (
    <Modal open={open} title={t('addTier')} okText={t('addTier')} onOk={() => form.submit()} onCancel={close} destroyOnHidden>
      <Form
        form={form}
        layout="vertical"
        initialValues={{ role: 'hr_admin', scope: 'all' }}
        onFinish={(tier) => {
          add(tier)
          close()
        }}
      >
        <Form.Item name="name_zh" label={t('tierName')} rules={required}>
          <Input maxLength={100} lang="zh-CN" />
        </Form.Item>
        <Form.Item name="name_en" label={t('tierNameEn')} rules={required}>
          <Input maxLength={100} lang="en" />
        </Form.Item>
        <Form.Item name="role" label={t('role')} rules={required}>
          <Select options={permissions.roles.map((w) => ({ value: w.value, label: w.text }))} />
        </Form.Item>
        <Form.Item name="scope" label={t('scope')} rules={required}>
          <Select options={permissions.scopes.map((w) => ({ value: w.value, label: w.text }))} />
        </Form.Item>
      </Form>
    </Modal>
  )
}

export const tierName = (tier: Tier) => (language() === 'zh' ? tier.name_zh : tier.name_en)
