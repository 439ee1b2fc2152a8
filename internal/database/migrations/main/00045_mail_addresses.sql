-- +goose Up
ALTER TABLE field_definitions DROP CONSTRAINT field_definitions_type_check;
ALTER TABLE field_definitions ADD CONSTRAINT field_definitions_type_check CHECK (type IN (
    'text', 'number', 'money', 'date', 'choice', 'phone', 'document_number', 'bank_account', 'address', 'attachment', 'email'));

-- +goose Down
UPDATE field_definitions SET type = 'text' WHERE type = 'email';
ALTER TABLE field_definitions DROP CONSTRAINT field_definitions_type_check;
ALTER TABLE field_definitions ADD CONSTRAINT field_definitions_type_check CHECK (type IN (
    'text', 'number', 'money', 'date', 'choice', 'phone', 'document_number', 'bank_account', 'address', 'attachment'));
