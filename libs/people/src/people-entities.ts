import { Invitation } from './invitation.entity.js';
import { Membership } from './membership.entity.js';
import { Person } from './person.entity.js';
import { SignIn } from './sign-in.entity.js';

export const PEOPLE_ENTITIES = [Invitation, Membership, Person, SignIn];
